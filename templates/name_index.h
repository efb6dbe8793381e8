// Names in any (ASCII) case to numbers: what keeps a plan linear in the number of its resources.
#pragma once
#include "base/arena.h"
#include "base/text.h"

struct name_index;
struct name_entry {
    struct text name;
    size_t number;
    const struct name_entry *next; // of any name: use name_index_next
};

// `expected` names or so; more are fine, slower.
struct name_index *name_index_new(struct arena *arena, size_t expected);
// A name may be added several times. Borrows its bytes.
void name_index_add(struct name_index *index, struct text name, size_t number);
// The first one added of that name, NULL when there is none; and the next added of the same name.
const struct name_entry *name_index_find(const struct name_index *index, struct text name);
const struct name_entry *name_index_next(const struct name_entry *entry);
