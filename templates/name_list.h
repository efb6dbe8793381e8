// Names in the order they come, each once in any (ASCII) case: the members of an object under way. Paid for
// by the call that makes it.
#pragma once
#include "templates/function.h"

struct name_list { // {.call = call} is an empty one
    struct call *call;
    struct text *names;
    size_t count, room;
    struct name_index *index; // NULL while there are few
};

// The number of the name, which is `count` before when it is new; SIZE_MAX and the error when the budget is
// used up.
size_t name_list_put(struct name_list *list, struct text name);
