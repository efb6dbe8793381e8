// Values that must not be shown: those of secure parameters, what list*() answered, and what expressions make
// of either. A mark on the value itself, which arrays and objects take over from what is in them.
#pragma once
#include "templates/function.h"

// A copy in which all that could tell something is marked.
const struct value *value_as_secret(struct arena *arena, const struct value *value);
// What a function returned, marked if it was made of something that is.
const struct value *call_marked(struct call *call, const struct value *returned);
