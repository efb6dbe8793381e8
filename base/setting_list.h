// A setting that is a list: its entries stand between commas or blanks.
#pragma once
#include "base/text.h"

struct arena;

// What a list is of: the words of its refusals, and an entry's normal form in the arena, or NULL where it is
// none.
struct setting_list {
    const char *one, *many; // "host such as …", "hosts"
    const char *(*normal)(struct arena *arena, struct text entry);
};

// The entries in normal form, NULL-ended, in the arena; NULL with *why at the first that is none, and
// beyond 64.
const char *const *setting_list_read(struct arena *arena, const struct setting_list *kind, const char *list,
                                     const char **why);
