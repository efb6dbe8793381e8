// What a kind of store does: the functions of rp/data/store.h, which says what each means. A store that has
// no files (object storage) fills the same table: sessions' bytes are its own matter until store_sync has
// made them lasting, and an address is whatever path the edge serves from it.
#pragma once
#include "rp/data/store.h"

struct store_driver {
    bool (*open)(const char *place, const char **why, struct arena *arena);
    void (*new_id)(char id[37]);
    enum store_fault (*begin)(const char *id, bool create, struct store_file **file);
    enum store_fault (*begin_if_free)(const char *id, struct store_file **file); // store_try
    bool (*make)(const char *id, struct store_file **file);
    enum store_fault (*open_published)(const char *id, struct store_file **file);
    int64_t (*size)(struct store_file *file);
    enum store_fault (*append)(struct store_file *file, const void *bytes, size_t length);
    enum store_fault (*truncate)(struct store_file *file, int64_t size);
    ssize_t (*read)(struct store_file *file, int64_t from, void *bytes, size_t length);
    enum store_fault (*sync)(struct store_file *file);
    int64_t (*named_at)(const struct store_file *file);
    void (*set_named_at)(struct store_file *file, int64_t at);
    void (*end)(struct store_file *file);
    enum store_fault (*stat)(const char *id, int64_t *size);
    struct text (*address)(struct arena *arena, const char *id);
    enum store_fault (*link)(const char *from, const char *to);
    void (*remove)(struct store_removal *removals, size_t count);
    bool (*is_short)(int64_t mark); // fewer free bytes than `mark`; 0: the driver's own
    void (*enumerate)(bool (*each)(const char *id, int64_t size, void *argument), void *argument);
};

extern const struct store_driver store_directory; // store_directory.c
// Which one store_open and all that follows it use; the directory unless set.
void store_use(const struct store_driver *driver);
