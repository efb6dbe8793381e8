// The expression language (arm-templates 4 and 5): parsing, and evaluation against what a place offers.
#pragma once
#include "templates/value.h"

struct expression; // a parsed one: immutable, lives in an arena
struct evaluation; // below

struct evaluation_frame; // private: the lambdas and the user function that are being evaluated

// What one expression may be; longer or deeper ones do not parse.
enum { EXPRESSION_LENGTH = 24576, EXPRESSION_DEPTH = 192 };
// What a deployment's budget begins with: about a second of one core, and well inside 96 MiB.
enum { EVALUATION_STEPS = 6000000, EVALUATION_BYTES = 40 * 1024 * 1024 };
// How deep calls, values and user functions may stand in one another while one is evaluated, and how deep and
// how long (as JSON) a value may become.
enum { EVALUATION_DEPTH = 640, EVALUATION_VALUE_DEPTH = 128, EVALUATION_VALUE_BYTES = 8 * 1024 * 1024 };

struct expression_error {
    const char *code;    // "InvalidTemplate" unless a function says otherwise
    const char *message; // the inner text, in the contract's words: ends with a full stop
    uint32_t position;   // 0-based, in bytes of the whole string, the opening bracket included
};

// Whether a template string is an expression ("[…]", not "[[…"); otherwise `*literal` is what it stands for.
bool expression_is(struct text string, struct text *literal);
// NULL and the error when it is none. `string` is the whole, brackets included.
const struct expression *expression_parse(struct arena *arena, struct text string,
                                          struct expression_error *error);

// What an expression calls, for plans and checks: whether it has functions that only a run can answer
// (reference, references, list*), and a walk over every call with its arguments.
bool expression_needs_run(const struct expression *expression);
struct expression_call {
    struct text name; // as written, "ns.fn" for a user function
    size_t argument_count;
    const struct expression *const *arguments;
    uint32_t position;
};
void expression_calls(const struct expression *expression,
                      void (*each)(void *context, const struct expression_call *call), void *context);

// Where it is evaluated: which functions are legal there.
enum evaluation_place {
    PLACE_PARAMETER_DEFAULT, // parameters, utcNow, newGuid, scope functions; no variables, no run-time
                             // functions
    PLACE_VARIABLE,
    PLACE_RESOURCE_HEAD, // name, type, apiVersion, condition, copy, scope, dependsOn: nothing of the run
    PLACE_RESOURCE_BODY,
    PLACE_OUTPUT,
    PLACE_FUNCTION, // of the user: its own parameters only
};
enum evaluation_scope { SCOPE_RESOURCE_GROUP, SCOPE_SUBSCRIPTION, SCOPE_MANAGEMENT_GROUP, SCOPE_TENANT };

struct evaluation_copy { // one copy loop that is going round
    struct text name;    // absent for the unnamed (an output's)
    int64_t index;
    const struct evaluation_copy *outer;
    bool only_by_name; // the loop of a property or a variable: copyIndex() without a name means another
};

// What the language asks of its surroundings. Each returns NULL and fills the error when there is no answer
// (without a message: the language says in its own words that there is none); a hook that is NULL makes its
// function "not expected at this location". `e` is the asking evaluation: who evaluates something else to
// answer makes an evaluation of its own with the same budget, frame NULL and its own place and copy.
struct evaluation_hooks {
    void *context;
    const struct value *(*parameter)(struct evaluation *e, struct text name, struct expression_error *error);
    const struct value *(*variable)(struct evaluation *e, struct text name, struct expression_error *error);
    // The user function's declaration object ({parameters, output}); NULL without an error when there is
    // none.
    const struct value *(*user_function)(struct evaluation *e, struct text name);
    // deployment(), environment(), resourceGroup(), subscription(), tenant(), deployer(): by the function's
    // name.
    const struct value *(*scope_object)(struct evaluation *e, struct text function,
                                        struct expression_error *error);
    // reference(x[, api][, 'Full']) and references('loop'[, 'Full']).
    const struct value *(*reference)(struct evaluation *e, struct text target, struct text api_version,
                                     bool full, struct expression_error *error);
    const struct value *(*references)(struct evaluation *e, struct text loop, bool full,
                                      struct expression_error *error);
    // list<Op>(x, api[, body]).
    const struct value *(*list)(struct evaluation *e, struct text operation, struct text target,
                                struct text api_version, const struct value *body,
                                struct expression_error *error);
    const struct value *(*resource_info)(struct evaluation *e, struct text symbol,
                                         struct expression_error *error);
    // providers(ns[, type]); type is absent where it was not given.
    const struct value *(*providers)(struct evaluation *e, struct text name, struct text type,
                                     struct expression_error *error);
};

struct evaluation {
    struct arena *arena;
    const struct evaluation_hooks *hooks;
    enum evaluation_place place;
    enum evaluation_scope scope;
    struct text subscription_id, resource_group; // the deployment's own, for resourceId()
    const struct evaluation_copy *copy;          // the loops around, the nearest first; NULL: none
    int64_t now; // microseconds: utcNow() is one moment for a whole deployment
    // What is left to spend; shared by a whole deployment's evaluation. When one is used up, evaluation ends
    // with an error instead of taking the machine's memory or time.
    struct evaluation_budget {
        size_t steps, bytes;
        size_t depth; // private, 0 at the beginning: how deep evaluation is in itself right now
    } * budget;
    bool version_2;                       // languageVersion 2.0: user functions may call one another
    const struct evaluation_frame *frame; // private: NULL at the beginning
};

// NULL and the error when it fails. The value's position is that of nothing (0).
const struct value *expression_evaluate(struct evaluation *e, const struct expression *expression,
                                        struct expression_error *error);
// A whole value of a template: every string that is an expression is evaluated, every other unescaped, names
// of members too; property copies ("copy" arrays, arm-templates 3.2, 3.4) are expanded where `copies` is set.
// `*at` is the string that failed. Where nothing changes the value itself is returned.
const struct value *evaluate_value(struct evaluation *e, const struct value *value, bool copies,
                                   struct expression_error *error, const struct value **at);
// Without evaluating: that every function called exists, takes that many arguments and is legal at e->place,
// and that parameters and variables are there, in branches too that are never taken. For what only a run
// evaluates, so that its mistakes are found before anything is made. False and the error.
bool expression_check(struct evaluation *e, const struct expression *expression,
                      struct expression_error *error);
// The same for all strings of a value; they must parse, too.
bool evaluate_check(struct evaluation *e, const struct value *value, struct expression_error *error,
                    const struct value **at);
// Whether any expression inside needs a run (a string that does not parse does not).
bool value_needs_run(struct arena *arena, const struct value *value);
