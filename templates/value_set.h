// A set of values under deep equality, paid for by the call that uses it.
#pragma once
#include "templates/function.h"

struct value_set {
    struct call *call;
    const struct value **slots;
    size_t room, count;
};

// Room for so many; false and the error when the budget is used up.
bool value_set_make(struct value_set *set, struct call *call, size_t most);
// Whether it is new. False after an error, too: look at call->error->message.
bool value_set_add(struct value_set *set, const struct value *value);
bool value_set_has(struct value_set *set, const struct value *value);
