// Reading a setting that is a list.
#include "base/setting_list.h"

#include "base/arena.h"

enum { ENTRIES = 64 };

const char *const *setting_list_read(struct arena *arena, const struct setting_list *kind, const char *list,
                                     const char **why)
{
    const char **entries = ARENA_ARRAY(arena, const char *, ENTRIES + 1);
    size_t count = 0;
    while (*list) {
        size_t length = strcspn(list, ", \t");
        struct text one = {list, length};
        list += length + (list[length] != '\0');
        if (length == 0)
            continue;
        const char *entry = kind->normal(arena, one);
        if (!entry || count == ENTRIES) {
            *why = entry ? arena_printf(arena, "there are too many %s", kind->many)
                         : arena_printf(arena, "'%.*s' is no %s", TEXT_ARG(one), kind->one);
            return NULL;
        }
        entries[count++] = entry;
    }
    return entries;
}
