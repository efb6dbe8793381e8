// What a function of the language is, and what its implementation works with (arm-templates 5).
#pragma once
#include "templates/expression_tree.h"

// One call that is being evaluated.
struct call {
    struct evaluation *e;
    const struct expression *node;
    const struct function *function;
    const char *name;                     // as messages spell it
    const struct value *const *arguments; // ready values; NULL for a lazy function
    size_t count;
    struct expression_error *error;
};

enum {
    FUNCTION_MANY = 255, // `most`: no bound
    // `places`: where it is legal.
    AT_DEFAULT = 1 << PLACE_PARAMETER_DEFAULT,
    AT_VARIABLE = 1 << PLACE_VARIABLE,
    AT_HEAD = 1 << PLACE_RESOURCE_HEAD,
    AT_BODY = 1 << PLACE_RESOURCE_BODY,
    AT_OUTPUT = 1 << PLACE_OUTPUT,
    AT_FUNCTION = 1 << PLACE_FUNCTION,
    AT_FUNCTION_2 = 64, // in a user function of language version 2.0
    AT_RUN = AT_BODY | AT_OUTPUT,
    ANYWHERE = AT_DEFAULT | AT_VARIABLE | AT_HEAD | AT_RUN | AT_FUNCTION,
};

struct function {
    const char *name;
    uint8_t least, most;
    uint8_t places;
    bool lazy;
    const struct value *(*evaluate)(struct call *call); // NULL after an error
    // The words for a wrong number of arguments, where they are not the usual ones. Where `count_tail` is set
    // the number given stands between them.
    const char *count_head, *count_tail;
};

// The groups, each ended by a row without a name.
extern const struct function functions_array[], functions_object[], functions_logic[], functions_number[],
    functions_string[], functions_text[], functions_format[], functions_uri[], functions_date[],
    functions_lambda[], functions_scope[], functions_resource[], functions_run[];
// By name in any case; NULL when there is none. list<Op> answers the row of "list*".
const struct function *function_find(struct text name);

// ---- what implementations use

// Fills the error; always NULL.
const struct value *call_fail(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// "The template language function 'x' expects its parameter to be …. The provided value is of type 'T'."
const struct value *call_fail_type(struct call *call, const char *expectation, const struct value *value);
// At most what a message shows of somebody's text, for "%.*s": whole characters.
static inline int shown_length(struct text t)
{
    enum { MOST = 1024 };
    size_t length = t.length < MOST ? t.length : MOST;
    while (length > 0 && length < t.length && ((unsigned char)t.base[length] & 0xc0) == 0x80)
        length--;
    return (int)length;
}
#define SHOWN(t) shown_length(t), (t).length ? (t).base : ""

// Takes from the budget; false and the error when it is used up.
bool call_spend(struct call *call, size_t steps, size_t bytes);
bool evaluation_spend(struct evaluation *e, size_t steps, size_t bytes, struct expression_error *error);
// Enters one level; false and the error when evaluation is too deep. Each true wants an evaluation_leave.
bool evaluation_enter(struct evaluation *e, struct expression_error *error);
void evaluation_leave(struct evaluation *e);

// A lazy function's argument.
const struct value *call_argument(struct call *call, size_t index);
// Values, paid for; NULL and the error when the budget is used up or the value would be too deep or too
// large.
const struct value *call_integer(struct call *call, int64_t integer);
const struct value *call_string(struct call *call, struct text string); // borrows the bytes
const struct value *call_array(struct call *call, const struct value *const *items, size_t count);
const struct value *call_object(struct call *call, const struct value_member *members, size_t count);
// Room for so many, paid for; NULL and the error.
const struct value **call_items(struct call *call, size_t count);
struct value_member *call_members(struct call *call, size_t count);
char *call_bytes(struct call *call, size_t length); // and one more, for a NUL

// Deep equality, paid for. Check call->error->message afterwards: a budget that is used up answers false.
bool call_equal(struct call *call, const struct value *a, const struct value *b);
// str() of arm-templates 4.3, paid for; an absent text and the error when it cannot be.
struct text call_text(struct call *call, const struct value *value);
// JSON with this quote, paid for.
struct text call_json(struct call *call, const struct value *value, char quote);
// One text out of many, paid for.
struct text call_join(struct call *call, const struct text *parts, size_t count, struct text separator);

// Steps of looking a name up in an object: names may begin alike, and the last one is found last.
#define FUNCTION_FIND_COST(in, name) ((in)->object.count * (1 + (name).length / 16) / 4)

// Walks into `value` by a name or an index, as ".name" and "[i]" do: the error is the language's.
const struct value *call_access(struct call *call, const struct value *value, const struct value *key);
