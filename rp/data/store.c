// The store as everybody else sees it: whichever driver is in use, and whether space is short.
#include "rp/data/store_driver.h"

#include "base/clock.h"
#include "base/site.h"

#include <pthread.h>
#include <stdatomic.h>

// Measured anew after a second, or after so many bytes: a fast disk is filled by far more than that in a
// second.
enum { LOW_WATER_AGE_US = 1000000, LOW_WATER_BYTES = 16 << 20 };

static const struct store_driver *driver = &store_directory;

static struct {
    pthread_mutex_t mutex;
    _Atomic int64_t checked;  // monotonic; 0: never
    _Atomic int64_t appended; // bytes since then
    _Atomic bool low;
} water = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void store_use(const struct store_driver *chosen)
{
    driver = chosen;
    atomic_store(&water.checked, 0);
}

bool store_open(const char *place, const char **why, struct arena *arena)
{
    atomic_store(&water.checked, 0);
    return driver->open(place, why, arena);
}

bool store_low_water(void)
{
    int64_t now = clock_monotonic();
    int64_t checked = atomic_load(&water.checked);
    if (checked != 0 && now - checked < LOW_WATER_AGE_US && atomic_load(&water.appended) < LOW_WATER_BYTES)
        return atomic_load(&water.low);
    pthread_mutex_lock(&water.mutex);
    if (atomic_load(&water.checked) == checked) { // else somebody else has measured meanwhile
        atomic_store(&water.appended, 0);
        atomic_store(&water.low, driver->is_short(site() != NULL ? site()->config->low_water : 0));
        atomic_store(&water.checked, clock_monotonic());
    }
    pthread_mutex_unlock(&water.mutex);
    return atomic_load(&water.low);
}

void store_new_id(char id[37])
{
    driver->new_id(id);
}

enum store_fault store_begin(const char *id, bool create, struct store_file **file)
{
    return driver->begin(id, create, file);
}

enum store_fault store_try(const char *id, struct store_file **file)
{
    return driver->begin_if_free(id, file);
}

bool store_make(const char *id, struct store_file **file)
{
    return driver->make(id, file);
}

enum store_fault store_open_published(const char *id, struct store_file **file)
{
    return driver->open_published(id, file);
}

int64_t store_size(struct store_file *file)
{
    return driver->size(file);
}

enum store_fault store_append(struct store_file *file, const void *bytes, size_t length)
{
    if (store_low_water())
        return STORE_FULL;
    atomic_fetch_add(&water.appended, (int64_t)length);
    return driver->append(file, bytes, length);
}

enum store_fault store_truncate(struct store_file *file, int64_t size)
{
    return driver->truncate(file, size);
}

ssize_t store_read(struct store_file *file, int64_t from, void *bytes, size_t length)
{
    return driver->read(file, from, bytes, length);
}

enum store_fault store_sync(struct store_file *file)
{
    return driver->sync(file);
}

int64_t store_named_at(const struct store_file *file)
{
    return driver->named_at(file);
}

void store_set_named_at(struct store_file *file, int64_t at)
{
    driver->set_named_at(file, at);
}

void store_end(struct store_file *file)
{
    if (file != NULL)
        driver->end(file);
}

enum store_fault store_stat(const char *id, int64_t *size)
{
    return driver->stat(id, size);
}

struct text store_address(struct arena *arena, const char *id)
{
    return driver->address(arena, id);
}

enum store_fault store_link(const char *from, const char *to)
{
    return driver->link(from, to);
}

enum store_fault store_remove(const char *id)
{
    struct store_removal removal = {.id = id};
    driver->remove(&removal, 1);
    return removal.fault;
}

void store_remove_many(struct store_removal *removals, size_t count)
{
    driver->remove(removals, count);
}

void store_enumerate(bool (*each)(const char *id, int64_t size, void *argument), void *argument)
{
    driver->enumerate(each, argument);
}
