// What a push does under the mutex: the state it meets, the rows it makes.
#pragma once
#include "rp/data/content_route.h"
#include "rp/data/manifest_parse.h"

struct push {
    struct manifest manifest;
    struct text content, digest;
    struct text *tags; // that the push sets
    size_t tag_count;
    struct text tag; // the one that is written now; absent: none
    struct text architecture, os;
    int64_t repository;
};

// The mutex is held. False after a refusal.
bool manifest_write(struct registry_call *call, const struct push *push);
