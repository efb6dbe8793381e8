// The store in memory: a table of objects, by id.
#include "rp/store_memory.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOCK_WAIT_US = 2000000, STEP_US = 5000 };

struct bytes { // shared by the objects that were linked
    char *base;
    int64_t length;
    int names;
};
struct object {
    struct object *next;
    char id[37];
    struct bytes *bytes;
    bool locked;
};
struct store_file {
    struct object *object;
    char id[37];
    struct bytes *bytes;
    bool locks;
};

static struct object *objects;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct object *find(const char *id)
{
    struct object *object = objects;
    while (object != NULL && strcmp(object->id, id) != 0)
        object = object->next;
    return object;
}

static struct object *add(const char *id, struct bytes *bytes)
{
    struct object *object = xcalloc(1, sizeof *object);
    snprintf(object->id, sizeof object->id, "%s", id);
    object->bytes = bytes;
    bytes->names++;
    object->next = objects;
    objects = object;
    return object;
}

static struct store_file *opened(struct object *object, bool locks)
{
    struct store_file *file = xcalloc(1, sizeof *file);
    snprintf(file->id, sizeof file->id, "%s", object->id);
    file->object = object;
    file->bytes = object->bytes;
    file->bytes->names++;
    file->locks = locks;
    if (locks)
        object->locked = true;
    return file;
}

static void let_go(struct bytes *bytes)
{
    if (--bytes->names > 0)
        return;
    free(bytes->base);
    free(bytes);
}

static bool memory_open(const char *place, const char **why, struct arena *arena)
{
    (void)place, (void)why, (void)arena;
    return true;
}

static void memory_new_id(char id[37])
{
    uuid_random(id);
}

static enum store_fault begin(const char *id, bool create, int64_t wait, struct store_file **file)
{
    int64_t deadline = clock_monotonic() + wait;
    *file = NULL;
    for (;;) {
        pthread_mutex_lock(&mutex);
        struct object *object = find(id);
        if (object == NULL && create)
            object = add(id, xcalloc(1, sizeof(struct bytes)));
        if (object != NULL && !object->locked)
            *file = opened(object, true);
        pthread_mutex_unlock(&mutex);
        if (*file != NULL)
            return STORE_OK;
        if (object == NULL)
            return STORE_ABSENT;
        if (clock_monotonic() >= deadline)
            return STORE_BUSY;
        usleep(STEP_US);
    }
}

static enum store_fault memory_begin(const char *id, bool create, struct store_file **file)
{
    return begin(id, create, LOCK_WAIT_US, file);
}

static enum store_fault memory_try(const char *id, struct store_file **file)
{
    return begin(id, false, 0, file);
}

static bool memory_make(const char *id, struct store_file **file)
{
    pthread_mutex_lock(&mutex);
    *file = find(id) == NULL ? opened(add(id, xcalloc(1, sizeof(struct bytes))), true) : NULL;
    pthread_mutex_unlock(&mutex);
    return *file != NULL;
}

static enum store_fault memory_open_published(const char *id, struct store_file **file)
{
    pthread_mutex_lock(&mutex);
    struct object *object = find(id);
    *file = object != NULL ? opened(object, false) : NULL;
    pthread_mutex_unlock(&mutex);
    return object != NULL ? STORE_OK : STORE_ABSENT;
}

static int64_t memory_size(struct store_file *file)
{
    return file->bytes->length;
}

static enum store_fault memory_append(struct store_file *file, const void *bytes, size_t length)
{
    struct bytes *b = file->bytes;
    b->base = xrealloc(b->base, (size_t)b->length + length + 1);
    memcpy(b->base + b->length, bytes, length);
    b->length += (int64_t)length;
    return STORE_OK;
}

static enum store_fault memory_truncate(struct store_file *file, int64_t size)
{
    file->bytes->length = size;
    return STORE_OK;
}

static ssize_t memory_read(struct store_file *file, int64_t from, void *bytes, size_t length)
{
    int64_t left = file->bytes->length - from;
    size_t count = left < (int64_t)length ? (size_t)(left > 0 ? left : 0) : length;
    if (count > 0)
        memcpy(bytes, file->bytes->base + from, count);
    return (ssize_t)count;
}

static enum store_fault memory_sync(struct store_file *file)
{
    (void)file;
    return STORE_OK;
}

static int64_t memory_named_at(const struct store_file *file)
{
    (void)file;
    return 0;
}

static void memory_set_named_at(struct store_file *file, int64_t at)
{
    (void)file, (void)at;
}

static void memory_end(struct store_file *file)
{
    pthread_mutex_lock(&mutex);
    struct object *object = find(file->id);
    if (file->locks && object == file->object)
        object->locked = false;
    let_go(file->bytes);
    pthread_mutex_unlock(&mutex);
    free(file);
}

static enum store_fault memory_stat(const char *id, int64_t *size)
{
    pthread_mutex_lock(&mutex);
    struct object *object = find(id);
    if (object != NULL)
        *size = object->bytes->length;
    pthread_mutex_unlock(&mutex);
    return object != NULL ? STORE_OK : STORE_ABSENT;
}

static struct text memory_address(struct arena *arena, const char *id)
{
    return text_of(arena_printf(arena, "/_store/%s", id));
}

static enum store_fault memory_link(const char *from, const char *to)
{
    pthread_mutex_lock(&mutex);
    struct object *object = find(from);
    if (object != NULL)
        add(to, object->bytes);
    pthread_mutex_unlock(&mutex);
    return object != NULL ? STORE_OK : STORE_ABSENT;
}

static void memory_remove(struct store_removal *removals, size_t count)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < count; i++) {
        removals[i].fault = STORE_OK;
        for (struct object **at = &objects; *at != NULL; at = &(*at)->next) {
            struct object *object = *at;
            if (strcmp(object->id, removals[i].id) != 0)
                continue;
            *at = object->next;
            let_go(object->bytes);
            free(object);
            break;
        }
    }
    pthread_mutex_unlock(&mutex);
}

static bool memory_is_short(int64_t mark)
{
    (void)mark;
    return false;
}

static void memory_enumerate(bool (*each)(const char *id, int64_t size, void *argument), void *argument)
{
    // `each` asks the store: the ids are taken down first.
    pthread_mutex_lock(&mutex);
    size_t count = 0, i = 0;
    for (struct object *object = objects; object != NULL; object = object->next)
        count++;
    struct object *list = xcalloc(count + 1, sizeof *list);
    for (struct object *object = objects; object != NULL; object = object->next)
        list[i++] = *object;
    pthread_mutex_unlock(&mutex);
    for (i = 0; i < count; i++) {
        int64_t size;
        if (memory_stat(list[i].id, &size) == STORE_OK && !each(list[i].id, size, argument))
            break;
    }
    free(list);
}

const struct store_driver store_memory = {
    .open = memory_open,
    .new_id = memory_new_id,
    .begin = memory_begin,
    .begin_if_free = memory_try,
    .make = memory_make,
    .open_published = memory_open_published,
    .size = memory_size,
    .append = memory_append,
    .truncate = memory_truncate,
    .read = memory_read,
    .sync = memory_sync,
    .named_at = memory_named_at,
    .set_named_at = memory_set_named_at,
    .end = memory_end,
    .stat = memory_stat,
    .address = memory_address,
    .link = memory_link,
    .remove = memory_remove,
    .is_short = memory_is_short,
    .enumerate = memory_enumerate,
};
