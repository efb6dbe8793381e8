// Functions that a template defines (arm-templates 3.3).
#pragma once
#include "templates/expression.h"

// Whether a definition ({parameters, output}) calls only what one may call: nothing of the run and, before
// language version 2.0, no variables and no other user function. NULL, or the whole message about the
// function `name` (without its namespace) at that place of the template.
const char *user_function_violation(struct arena *arena, struct text name, const struct value *definition,
                                    bool version_2);
