// What a push does under the mutex: the state it meets, the rows it makes.
#pragma once
#include "rp/data/content_route.h"
#include "rp/data/manifest_parse.h"

struct push {
    struct manifest manifest;
    struct text content, digest;
    struct text tag; // absent when pushed by digest
    struct text architecture, os;
    int64_t repository;
};

// The mutex is held. False after a refusal.
bool manifest_write(struct registry_call *call, const struct push *push);
