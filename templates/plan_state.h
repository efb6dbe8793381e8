// What the parts of a plan share while it is made (plan_make) and run. Private to plan*.c.
#pragma once
#include "templates/document.h"
#include "templates/name_index.h"

enum {
    PLAN_NESTED_DEPTH = 8, // of nested deployments in one another; the contract asks for 5
    PLAN_CHAIN_DEPTH = 64, // of variables and defaults that refer to one another
};

enum plan_binding { UNBOUND, BINDING, BOUND };

struct plan_parameter {
    const struct template_parameter *declared;
    const struct value *value; // NULL while unbound
    enum plan_binding binding;
};
struct plan_variable {
    struct text name;
    const struct value *source; // its value, or {"copy":[…]} of one loop
    bool copy;
    const struct value *value;
    enum plan_binding binding;
};

// A call of reference(), references() or list*() in a resource or an output, found once where it is written
// and evaluated for each copy.
struct plan_loop { // a property's copy around a call
    struct text name;
    const struct value *count;
    const struct plan_loop *outer;
};
// A call may stand in an argument that is looked at only when need be: then what it names may be missing.
struct plan_guard {
    const struct expression *condition; // of if(); NULL: of and(), or(), coalesce(), tryGet()
    bool wanted;                        // what the condition must be
    const struct plan_guard *outer;
};
struct plan_call {
    enum { CALL_REFERENCE, CALL_REFERENCES, CALL_LIST } kind;
    struct text name; // "listKeys", as written
    const struct expression *arguments[3];
    size_t argument_count;
    const struct plan_loop *loop;
    const struct plan_guard *guard;
    const struct value *at; // the string it stands in
    const struct plan_call *next;
};
struct plan_calls {
    const struct plan_call *first, **last;
    bool run;                      // something in there needs the run
    const struct value *at;        // the first that does
    struct expression_error parse; // code is set: a string does not parse, at `at`
};

// A node's other half: what only the making of the plan needs.
struct plan_instance {
    const struct template_resource *resource;
    size_t source; // number of the template's resource, parents before children
    struct evaluation_copy *copy;
    size_t loop_index;                 // of the resource's copy
    struct text scope_id;              // that it stands in
    const struct value *heads;         // its members beside properties, evaluated
    const struct plan_dependency *raw; // as written: on existing ones and undeployed ones too
    size_t raw_count;
};
struct plan_source { // a resource of the template with its calls; its nodes are first … first + count - 1
    const struct template_resource *resource;
    size_t first, count;
    int64_t copies; // 1 without a loop
    struct text loop;
    bool serial;
    int64_t batch;
    size_t parent;           // SIZE_MAX: none
    enum plan_binding made;  // its nodes
    struct plan_calls calls; // of properties
};

struct plan_target { // where a deployment goes to
    enum evaluation_scope scope;
    struct text subscription_id, resource_group, management_group;
};

struct plan_state {
    struct plan *plan;
    struct arena *arena;
    const struct plan_site *site;
    const struct template_document *document;
    struct evaluation_budget *budget; // one for a whole tree of deployments
    struct plan_error *error;
    unsigned depth;            // 0: the root
    struct text path;          // of the template: "properties.template"
    struct plan_target target; // where its resources go to, and that as an id:
    struct text scope_id;      // "/subscriptions/…/resourceGroups/…"; "" for the tenant
    struct plan_state *parent; // nested: the plan around it
    struct plan_state *outer;  // nested in the outer scope: the plan around it
    struct plan_state
        *environment; // who answers parameters(), variables() and the scope functions: mostly itself
    const struct evaluation_copy *outer_copy;
    const struct value *request_parameters; // deployment().properties.parameters
    const struct value *deployment;         // deployment(), once made

    struct plan_parameter *parameters;
    size_t parameter_count;
    struct name_index *parameter_index;
    struct plan_variable *variables;
    size_t variable_count;
    struct name_index *variable_index;
    struct name_index *function_index;
    unsigned chain; // bindings under way

    struct plan_source *sources;
    size_t source_count;
    struct plan_instance *instances;                  // beside plan->nodes
    struct name_index *ids, *names, *loops, *symbols; // ids, names: nodes; loops, symbols: sources
    struct plan_dependency_list *outer_reads; // nested in the outer scope: nodes of `outer` that it reads
};

// A growing list of dependencies without doubles.
struct plan_dependency_list {
    struct arena *arena;
    struct plan_dependency *items;
    size_t count, capacity;
    uint32_t *marks, mark; // by node: the owner that listed it last
};
void dependency_add(struct plan_dependency_list *list, size_t node, bool implicit);

// ---- plan_evaluate.c ----
struct plan_subject { // what an error is about
    enum { SUBJECT_RESOURCE, SUBJECT_VARIABLE, SUBJECT_OUTPUT } kind;
    struct text name;
    uint32_t line, column;
};
// Context of the hooks: the plan, and the run where there is one.
struct plan_context {
    struct plan_state *state;
    const struct plan_run *run; // NULL: the template phase
    struct evaluation_hooks hooks;
};
void plan_context_begin(struct plan_context *context, struct plan_state *state, const struct plan_run *run);
struct evaluation plan_evaluation(struct plan_context *context, struct arena *arena,
                                  enum evaluation_place place, const struct evaluation_copy *copy,
                                  struct evaluation_budget *budget);
void plan_make_deployment(struct plan_state *state); // what deployment() is
// The members that only a run answers: reference, references, list (plan_run.c).
void plan_run_hooks(struct evaluation_hooks *hooks);
// A value of the template in the template phase. NULL with state->error set.
const struct value *plan_value(struct plan_state *state, enum evaluation_place place,
                               const struct evaluation_copy *copy, const struct value *source, bool copies,
                               const struct plan_subject *subject);
// The same for one expression of which failure is no matter: NULL.
const struct value *plan_try(struct plan_state *state, enum evaluation_place place,
                             const struct evaluation_copy *copy, const struct expression *expression);
// A value that must be a text. Absent with state->error set.
struct text plan_text(struct plan_state *state, const struct evaluation_copy *copy,
                      const struct value *source, const char *member, const struct plan_subject *subject);
// The static check of what only a run evaluates.
bool plan_check(struct plan_state *state, enum evaluation_place place, const struct evaluation_copy *copy,
                const struct value *source, const struct plan_subject *subject);
// Sets state->error for an expression's error at a string of the template.
void plan_fail_expression(struct plan_state *state, const struct plan_subject *subject,
                          const struct expression_error *error, const struct value *at);
// "Deployment template validation failed: '…'." at a value of the template (NULL: unknown); false, to be
// returned.
bool plan_fail(struct plan_state *state, const struct value *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The path of a value of the template, found by looking for it; absent when it is none of it.
struct text plan_path(struct plan_state *state, const struct value *at);
// Takes from the budget; false with the error when it is used up.
bool plan_spend(struct plan_state *state, size_t bytes);
bool plan_spend_steps(struct plan_state *state, size_t steps);

// ---- the steps of plan_make, in order; false with state->error set ----
bool plan_bind_parameters(struct plan_state *state, const struct value *given, const struct value *frozen);
const struct value *plan_parameter_value(struct plan_state *state, struct arena *arena, struct text name,
                                         struct expression_error *error);
// Before parameters are bound: a default may call a function of 2.0 that reads variables.
void plan_declare_variables(struct plan_state *state);
bool plan_bind_variables(struct plan_state *state);
const struct value *plan_variable_value(struct plan_state *state, struct arena *arena, struct text name,
                                        struct expression_error *error);
bool plan_expand(struct plan_state *state); // sources and nodes: names, types, ids
// The nodes of one source, which resourceInfo() may ask for before its turn.
bool plan_expand_source(struct plan_state *state, size_t number);
bool plan_find_calls(struct plan_state *state);  // of resources and outputs
bool plan_link(struct plan_state *state);        // dependencies and reads
bool plan_order(struct plan_state *state);       // refuses cycles
bool plan_make_bodies(struct plan_state *state); // what needs no run; nested plans
bool plan_check_outputs(struct plan_state *state);

// ---- types (plan_types.c) ----
// NULL, or what is wrong, as one sentence with a full stop; `*at` is where the template says so.
const char *type_mismatch(struct arena *arena, const struct template_type *type, const struct value *value,
                          struct text *where, const struct value **at);
bool type_holds_secret(const struct template_type *type);
const char *type_expected(const struct template_type *type); // "String, Uri", …

// ---- ids (plan_ids.c) ----
struct text target_id(struct arena *arena, const struct plan_target *target);
bool target_parse(struct arena *arena, struct text scope_id, struct plan_target *target);
// A `scope` as written to the id it stands for ("" for the tenant).
struct text scope_resolve(struct arena *arena, struct text base, struct text written);
struct text id_canonical(struct arena *arena, struct text id);
// Whether type and name have segments that fit.
bool segments_fit(struct text type, struct text name);
// Fills id, type and name of a node from its scope and the written ones.
void node_identify(struct arena *arena, struct text scope_id, struct plan_node *node);

// ---- names to nodes (plan_resolve.c) ----
struct plan_range {
    size_t first, count;
    const struct name_entry *more; // further loops of the same name (numbers are sources)
};
// The source of a symbolic name ("symbol", "symbol[3]"); SIZE_MAX: none.
size_t plan_symbol(const struct plan_state *state, struct text written);
enum plan_found { FOUND_NONE, FOUND_ONE, FOUND_MANY, FOUND_AMBIGUOUS };
// `arena` for what it makes on the way. `loops`: names of loops count, too.
enum plan_found plan_resolve(const struct plan_state *state, struct arena *arena, struct text written,
                             bool loops, struct plan_range *range);
// Full id of what is not in the template: of "NS/type/name" or an id; absent when it is neither.
struct text plan_outside_id(const struct plan_state *state, struct arena *arena, struct text written);
// "NS/type/name" of what stands in the deployment's own scope, else the id.
struct text plan_short_id(const struct plan_state *state, const struct plan_node *node);
// How messages name what is not defined.
struct text plan_undefined_name(const struct plan_state *state, struct text written);

// Type and name of a full id: of its last provider, or of a resource group or subscription.
void plan_id_parts(struct arena *arena, struct text id, struct text *type, struct text *name);

// ---- calls (plan_calls.c) ----
void calls_find(struct plan_state *state, const struct value *value, bool copies, struct plan_calls *calls);
// The end of the call whose name begins at `from` of an expression: behind its closing parenthesis. Counts
// the commas of its own that stand before `until`.
size_t call_end(struct text string, size_t from, size_t until, size_t *commas);
// Goes through a call's evaluations, each with the property loops going round. `each` returns false to end.
bool call_each(struct plan_state *state, const struct plan_call *call, const struct evaluation_copy *copy,
               bool (*each)(struct plan_state *state, const struct plan_call *call,
                            const struct evaluation_copy *copy, void *argument),
               void *argument);
// Dependencies and reads of one resource's calls (node) or of the outputs (SIZE_MAX).
struct plan_reads {
    struct plan_read *items;
    size_t count, capacity;
};
bool calls_link(struct plan_state *state, const struct plan_calls *calls, const struct evaluation_copy *copy,
                size_t node, struct plan_dependency_list *list, struct plan_reads *reads);

// Of a deployment's properties, without its template.
void calls_find_nested(struct plan_state *state, const struct value *properties, struct plan_calls *calls);

// ---- bodies (plan_bodies.c) ----
bool body_heads(struct plan_state *state, size_t number);
bool body_check_known(struct plan_state *state, size_t number, const struct value *properties);
const struct value *body_assemble(struct arena *arena, const struct value *heads,
                                  const struct value *properties);
const struct value *without_nulls(struct arena *arena, const struct value *value);

// ---- nested deployments (plan_nested.c, plan_literal.c) ----
bool plan_is_deployment(const struct plan_node *node);
// Target, content and plan; what a template of the outer scope reads is added to `list`.
bool plan_nest(struct plan_state *state, size_t number, struct plan_dependency_list *list);
const struct value *nested_written(const struct plan_state *state, struct arena *arena,
                                   const struct template_resource *resource);
const struct value *nested_request(struct arena *arena, const struct value *heads,
                                   const struct value *properties, const struct value *template);
// What is left of an expression (plan_residual.c).
struct text residual_text(struct plan_state *nested, const struct evaluation_copy *copy, struct text string);
// A template of the outer scope with everything of its surroundings put in. NULL with the error.
const struct value *plan_literal(struct plan_state *nested);
// The properties of such a deployment: of the inner scope from now on, without parameters.
const struct value *plan_literal_properties(struct arena *arena, const struct value *properties);

struct plan_inputs {
    struct arena *arena;
    const struct plan_site *site;
    const struct value *template, *parameters, *frozen;
    struct evaluation_budget *budget;
    unsigned depth;
    struct text path;
    struct plan_state *parent, *outer;
    const struct evaluation_copy *outer_copy;
    struct plan_dependency_list *outer_reads;
    struct plan_error *error;
};
struct plan *plan_build(const struct plan_inputs *inputs);
