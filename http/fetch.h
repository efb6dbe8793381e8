// Asking another host for a document that somebody named: GET over HTTPS, only from hosts that the operator
// lists, bounded in bytes, time and redirections, without any credential of ours. libcurl is known in fetch.c
// only.
#pragma once
#include "base/text.h"

struct arena;

struct fetch {
    const char *const *hosts;       // that may be asked (base/host_list.h)
    const char *const *authorities; // PEM files that are trusted beside the machine's own, NULL-ended
    size_t limit;                   // bytes of the answer
    int64_t deadline;               // by the monotonic clock, in microseconds
};

// NULL with *body in the arena; otherwise why not, a sentence without its full stop that tells nothing but
// the host and what it answered. Blocks: never to be called with a transaction open.
const char *fetch_get(struct arena *arena, const struct fetch *fetch, struct text url, struct text *body);
