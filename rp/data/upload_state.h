// The `_state` of an upload's Location: it makes a POST cost no row, and nobody but us can write it.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct arena;

struct upload_state {
    struct text rid; // the registry's, so that a re-created registry of that name knows nothing of it
    struct text repository;
    char id[37];     // the session's, and the file's name
    int64_t created; // wall microseconds
};

// AES-GCM under the purpose "upload-state", base64url.
struct text upload_state_seal(struct arena *arena, const struct upload_state *state);
// False when it was not sealed by us for that session id.
bool upload_state_open(struct arena *arena, const char *id, struct text sealed, struct upload_state *state);
// Whether a session that has no row yet may still begin: only within an hour of its POST.
bool upload_state_fresh(const struct upload_state *state);
// "/v2/<repository>/blobs/uploads/<id>?_nouploadcache=false&_state=<sealed>"
struct text upload_location(struct arena *arena, const struct upload_state *state);
