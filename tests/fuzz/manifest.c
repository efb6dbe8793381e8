// libFuzzer: arbitrary bytes as a manifest. What is read must lie within its own rules. The first byte
// chooses the Content-Type, so that each grammar is reached.
#include "rp/data/manifest_parse.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int compare(struct text a, struct text b)
{
    int order = memcmp(a.base, b.base, a.length < b.length ? a.length : b.length);
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static void distinct_and_ordered(const struct manifest_descriptor *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].size < 0 || !list[i].digest.base ||
            (i > 0 && compare(list[i - 1].digest, list[i].digest) >= 0))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {
        NULL,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.artifact.manifest.v1+json",
    };
    if (size == 0)
        return 0;
    struct arena *arena = arena_new();
    struct text bytes = {(const char *)data + 1, size - 1};
    struct manifest manifest;
    const char *why = NULL;
    const char *type = types[data[0] % (sizeof types / sizeof types[0])];
    if (manifest_parse(arena, text_of(type), bytes, &manifest, &why)) {
        if (!manifest.media_type.base)
            abort();
        distinct_and_ordered(manifest.blobs, manifest.blob_count);
        distinct_and_ordered(manifest.children, manifest.child_count);
    } else if (!why) {
        abort();
    }
    struct text architecture, os;
    manifest_config_platform(arena, bytes, &architecture, &os);
    arena_free(arena);
    return 0;
}
