// What azsacrd template check prints.
#pragma once
#include "templates/plan.h"

// "FILE:LINE:COLUMN: Code: message", the path, the line and a caret under the column; to stderr.
void template_print_error(const char *file, struct text content, const struct plan_error *error);
// One error for each resource, reference() and list*() of a type or an api-version that is not served; their
// count.
size_t template_print_unserved(struct arena *arena, const char *file, struct text content,
                               const struct plan *plan);
// The steps in an order in which they can be done, and the outputs; to stdout.
void template_print_plan(struct arena *arena, const struct plan *plan);
