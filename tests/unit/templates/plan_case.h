// Plans as text, for tables of (template, parameters, what becomes of it).
#pragma once
#include "templates/plan.h"

struct plan_case {
    const char *rule;       // arm-templates 3.4 …
    const char *template;   // what follows `$schema` and `contentVersion`, quotes may be single
    const char *parameters; // NULL: none
    const char *expected;   // the plan's lines, or "!" and the error's message
};

enum { CASE_GROUP, CASE_SUBSCRIPTION };
// "https://schema…", the members and the closing brace.
struct text case_template(struct arena *arena, const char *members);
const struct value *case_value(struct arena *arena, struct text text);
struct plan_site case_site(struct arena *arena, enum evaluation_scope scope);
// NULL and the error when it is refused.
struct plan *case_plan(struct arena *arena, enum evaluation_scope scope, const struct plan_case *c,
                       struct plan_error *error);
// One line a node: its id without the scope's, its version, what it waits for ("*": implicitly), its state.
struct text case_show(struct arena *arena, const struct plan *plan);
// Makes the plan and compares.
void case_check(enum evaluation_scope scope, const struct plan_case *c);
