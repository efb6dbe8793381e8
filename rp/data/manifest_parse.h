// What a manifest says: the grammar of Docker schema 2 and OCI 1.1, without any database.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum manifest_kind {
    MANIFEST_IMAGE,    // config and layers
    MANIFEST_INDEX,    // lists manifests
    MANIFEST_ARTIFACT, // blobs and a subject, no config
};

struct manifest_descriptor {
    struct text digest, media_type;
    int64_t size;
    bool foreign;                 // a layer that lives elsewhere: it need not be here
    struct text architecture, os; // of an index's entry, absent where it has no platform
};

// All text is in the arena or borrowed from the parsed bytes.
struct manifest {
    enum manifest_kind kind;
    struct text media_type; // what it is stored and served as
    struct text config_digest, config_media_type;
    struct text artifact_type; // as referrers show it: the config's media type where an image names none
    struct text subject;
    struct text annotations; // a JSON object, absent when there are none
    // Distinct, ordered by digest: config and layers of an image, blobs of an artifact.
    struct manifest_descriptor *blobs;
    size_t blob_count;
    // Distinct, ordered by digest: what an index lists.
    struct manifest_descriptor *children;
    size_t child_count;
};

enum { MANIFEST_LIMIT = 4 << 20, MANIFEST_DEPTH = 64 };

// `content_type` is the request's header, absent when it had none. False with *why, a sentence in the arena.
bool manifest_parse(struct arena *arena, struct text content_type, struct text bytes,
                    struct manifest *manifest, const char **why);
// Whether a config of that media type tells a platform; and the platform it tells: absent where it does not.
bool manifest_config_has_platform(struct text config_media_type);
void manifest_config_platform(struct arena *arena, struct text config, struct text *architecture,
                              struct text *os);
