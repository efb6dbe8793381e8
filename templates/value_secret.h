// Values that must not be shown: those of secure parameters, what list*() answered, and what expressions make
// of either. A mark on the value itself, which arrays and objects take over from what is in them.
#pragma once
#include "templates/function.h"

// A copy in which all that could tell something is marked.
const struct value *value_as_secret(struct arena *arena, const struct value *value);
// The same of what list*() answered, but for members that only name something.
const struct value *value_answer_as_secret(struct arena *arena, const struct value *answer);
bool value_names_only(struct text member); // "username", …
// Every text and number in it that is marked.
void value_each_secret(const struct value *value, void (*each)(void *context, const struct value *secret),
                       void *context);
// What a function returned, marked if it was made of something that is.
const struct value *call_marked(struct call *call, const struct value *returned);
