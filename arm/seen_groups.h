// Groups that a create saw a moment ago, with ids for the rows that may come: the next create in one of them
// needs no look of its own (existence.c). What it takes for granted is proven by its own statements.
#pragma once
#include "base/text.h"

struct seen_group {
    char subscription_id[37];
    char namespace_key[64];   // of the type that was made there: its registration was good
    char key[368], name[368]; // 90 characters
    char location[64];
    int64_t id;
    int64_t at, database_time; // microseconds: monotonic, and PostgreSQL's at that moment
};
// A look gives this many ids: the sequence's increment (migration 0016).
enum { SEEN_GROUP_IDS = 32 };

// After a look that found no such resource and was given `first_id`, the first of a block of ids.
void seen_group_remember(const struct seen_group *group, int64_t first_id);
// After a look that found the resource: whoever comes next looks too.
void seen_group_forget(struct text subscription_id, struct text key);
// The group with its lower-case name, for a type of that namespace, if it was seen within the last second.
bool seen_group_find(struct text subscription_id, struct text key, struct text namespace_key,
                     struct seen_group *group);
// An id that nobody else has or gets; 0 when none is left.
int64_t seen_group_new_id(void);
