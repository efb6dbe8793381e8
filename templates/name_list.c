// Few names are compared one by one, many have an index.
#include "templates/name_list.h"

#include "templates/name_index.h"

enum { FEW = 16 };

static size_t find(const struct name_list *list, struct text name)
{
    if (list->index) {
        const struct name_entry *entry = name_index_find(list->index, name);
        return entry ? entry->number : SIZE_MAX;
    }
    for (size_t i = 0; i < list->count; i++)
        if (list->names[i].length == name.length && text_equal_nocase(list->names[i], name))
            return i;
    return SIZE_MAX;
}

static bool grow(struct name_list *list)
{
    // An entry of the index takes five words, and two buckets for each as many more.
    enum { INDEXED = 10 * sizeof(void *) };
    size_t room = list->room ? list->room * 2 : 8;
    if (!call_spend(list->call, 1 + list->count / 2,
                    room * (sizeof *list->names + (room > FEW ? INDEXED : 0))))
        return false;
    struct arena *arena = list->call->e->arena;
    struct text *names = ARENA_ARRAY(arena, struct text, room);
    if (list->count > 0)
        memcpy(names, list->names, list->count * sizeof *names);
    list->names = names;
    list->room = room;
    list->index = room > FEW ? name_index_new(arena, room) : NULL;
    for (size_t i = 0; list->index && i < list->count; i++)
        name_index_add(list->index, names[i], i);
    return true;
}

size_t name_list_put(struct name_list *list, struct text name)
{
    if (!call_spend(list->call, 1 + name.length / 32, 0))
        return SIZE_MAX;
    size_t found = find(list, name);
    if (found != SIZE_MAX || (list->count == list->room && !grow(list)))
        return found;
    if (list->index)
        name_index_add(list->index, name, list->count);
    list->names[list->count] = name;
    return list->count++;
}
