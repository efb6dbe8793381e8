// Each text of an expression is parsed once for an arena: a template says the same things often, and a loop
// says everything as often as it goes round.
#pragma once
#include "templates/expression.h"

// What it costs is taken from e's budget; e may be NULL.
const struct expression *expression_cached(struct arena *arena, struct evaluation *e, struct text string,
                                           struct expression_error *error);
