// Arenas: chunks of 8 KiB, larger pieces apart, all freed at once.
#include "base/arena.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Chunks of 8 KiB with their header: what a request of the read lane takes fits into one.
// What an arena of LARGE bytes leaves between what others hold is given back to the machine.
enum { CHUNK_SIZE = 8192 - 64, LARGE = 16 * 1024 * 1024, ALIGNMENT = alignof(max_align_t) };

struct chunk {
    struct chunk *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct disposal {
    struct disposal *next;
    void (*dispose)(void *);
    void *argument;
};

struct attachment {
    struct attachment *next;
    const void *key;
    void *value;
};

struct arena {
    struct chunk *chunks;
    struct disposal *disposals;
    struct attachment *attachments;
    size_t size;
};

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("azsacrd: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *xmalloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *memory, size_t size)
{
    return checked(realloc(memory, size ? size : 1));
}

char *xstrdup(const char *string)
{
    return checked(strdup(string));
}

enum { SPARE_CHUNKS = 256 };

// What this thread keeps. With AddressSanitizer nothing: what is freed must stay untouchable.
static _Thread_local struct {
    struct chunk *first;
    unsigned count, limit;
} spare;

void arena_keep_chunks(void)
{
#ifndef __SANITIZE_ADDRESS__
    spare.limit = SPARE_CHUNKS;
#endif
}

void arena_drop_chunks(void)
{
    while (spare.first != NULL) {
        struct chunk *next = spare.first->next;
        free(spare.first);
        spare.first = next;
    }
    spare.count = spare.limit = 0;
}

static struct chunk *chunk_new(size_t size)
{
    struct chunk *c = spare.first;
    if (size == CHUNK_SIZE && c != NULL) {
        spare.first = c->next;
        spare.count--;
    } else {
        c = xmalloc(sizeof *c + size);
        c->size = size;
    }
    c->next = NULL;
    c->used = 0;
    return c;
}

static void chunk_free(struct chunk *c)
{
    if (c->size != CHUNK_SIZE || spare.count >= spare.limit) {
        free(c);
        return;
    }
    c->next = spare.first;
    spare.first = c;
    spare.count++;
}

// Set, neither follows the largest piece that was ever freed, as both do by themselves.
void heap_give_back(void)
{
    enum { MAPPED = 1024 * 1024, TRIMMED = 1024 * 1024 };
    mallopt(M_MMAP_THRESHOLD, MAPPED);  // pieces of this size are mapped each by itself
    mallopt(M_TRIM_THRESHOLD, TRIMMED); // what is free at a heap's end, beyond this, is unmapped
}

// The arena itself is the first thing in its first chunk.
struct arena *arena_new(void)
{
    struct chunk *c = chunk_new(CHUNK_SIZE);
    struct arena *arena = (struct arena *)c->bytes;
    *arena = (struct arena){.chunks = c, .size = c->size};
    c->used = (sizeof *arena + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    // The records live in the arena itself, so all run before the first chunk goes.
    for (struct disposal *d = arena->disposals; d != NULL; d = d->next)
        d->dispose(d->argument);
    bool large = arena->size >= LARGE;
    for (struct chunk *c = arena->chunks; c != NULL;) {
        struct chunk *next = c->next;
        chunk_free(c);
        c = next;
    }
    if (large)
        malloc_trim(0);
}

void *arena_reserve(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        checked(NULL);
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct chunk *head = arena->chunks;
    if (head->size - head->used < size) {
        struct chunk *c = chunk_new(size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE);
        arena->size += c->size;
        // A large piece goes behind the head, so that the head's free rest stays in use.
        if (c->size != CHUNK_SIZE) {
            c->next = head->next;
            head->next = c;
        } else {
            c->next = head;
            arena->chunks = c;
        }
        head = c;
    }
    void *memory = head->bytes + head->used;
    head->used += size;
    return memory;
}

size_t arena_size(const struct arena *arena)
{
    return arena->size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(arena_reserve(arena, size), 0, size);
}

char *arena_strndup(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_reserve(arena, length + 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
    return arena_strndup(arena, string, strlen(string));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0)
        checked(NULL);
    char *string = arena_reserve(arena, (size_t)length + 1);
    vsnprintf(string, (size_t)length + 1, format, again);
    va_end(again);
    return string;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *string = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return string;
}

void arena_on_free(struct arena *arena, void (*dispose)(void *), void *argument)
{
    struct disposal *d = ARENA_NEW(arena, struct disposal);
    d->dispose = dispose;
    d->argument = argument;
    d->next = arena->disposals;
    arena->disposals = d;
}

void **arena_attachment(struct arena *arena, const void *key)
{
    for (struct attachment *a = arena->attachments; a != NULL; a = a->next)
        if (a->key == key)
            return &a->value;
    struct attachment *a = ARENA_NEW(arena, struct attachment);
    *a = (struct attachment){arena->attachments, key, NULL};
    arena->attachments = a;
    return &a->value;
}
