// Memory with one lifetime: everything taken from an arena is freed by arena_free, together.
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

// Memory of the heap that never fails: out of memory ends the process (there is no recovering half).
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *string);

// For a process that stays: what a large request took goes back to the machine when it is freed. Otherwise
// each thread's heap would stay as large as the largest request that it had. Before threads start.
void heap_give_back(void);

struct arena *arena_new(void);
void arena_free(struct arena *arena);
// How many bytes of the heap it holds, for who has to bound what it does.
size_t arena_size(const struct arena *arena);

// Zeroed, aligned for any type, alive until arena_free.
void *arena_alloc(struct arena *arena, size_t size);
// The same, not zeroed: for who fills it at once.
void *arena_reserve(struct arena *arena, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

// Copies; the result ends with a NUL.
char *arena_strdup(struct arena *arena, const char *string);
char *arena_strndup(struct arena *arena, const char *bytes, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

// A thread that makes and frees an arena for each request keeps the chunks for the next; it gives them back
// before it ends.
void arena_keep_chunks(void);
void arena_drop_chunks(void);

// Runs `dispose(argument)` when the arena is freed, last registered first.
void arena_on_free(struct arena *arena, void (*dispose)(void *), void *argument);

// Something that lives as long as the arena and belongs to `key` (the address of something static): NULL
// until its owner sets it.
void **arena_attachment(struct arena *arena, const void *key);
