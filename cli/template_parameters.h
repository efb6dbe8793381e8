// Parameters of a template on the command line of azsacrd template check.
#pragma once
#include "templates/value.h"

// `parameters` ({"p":{"value":…}}, or NULL for none) with NAME=VALUE over them: the text as it is where the
// template declares a string, else JSON. NULL after printing what is wrong with it.
const struct value *template_parameters_with(struct arena *arena, const struct value *template,
                                             const struct value *parameters, const char *assignment);
