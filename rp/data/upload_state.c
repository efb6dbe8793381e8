// Sealing and opening of an upload's `_state`.
#include "rp/data/upload_state.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/site.h"

enum { STATE_LIMIT = 2048, STATE_LINES = 3 };
static const char purpose[] = "upload-state";
static const int64_t fresh_for = (int64_t)3600 * 1000000;

static const char *place(struct arena *arena, const char *id)
{
    return arena_printf(arena, "acr.upload/%s", id);
}

struct text upload_state_seal(struct arena *arena, const struct upload_state *state)
{
    struct text plain = text_of(arena_printf(arena, "%.*s\n%.*s\n%lld", TEXT_ARG(state->rid),
                                             TEXT_ARG(state->repository), (long long)state->created));
    struct text sealed = master_key_seal(site()->master_key, arena, purpose, place(arena, state->id), plain);
    return text_base64url(arena, sealed.base, sealed.length);
}

// The lines of the plain form; none of its members can hold a line feed.
static bool split(struct text plain, struct text lines[STATE_LINES])
{
    for (int i = 0; i < STATE_LINES; i++) {
        ptrdiff_t end = text_find(plain, '\n');
        if ((end < 0) != (i == STATE_LINES - 1))
            return false;
        size_t length = end < 0 ? plain.length : (size_t)end;
        lines[i] = text_slice(plain, 0, length);
        if (end >= 0)
            plain = text_slice(plain, length + 1, plain.length);
    }
    return true;
}

bool upload_state_open(struct arena *arena, const char *id, struct text sealed, struct upload_state *state)
{
    struct text bytes, plain, lines[STATE_LINES];
    if (sealed.base == NULL || sealed.length == 0 || sealed.length > STATE_LIMIT || !uuid_is(text_of(id)))
        return false;
    if (!text_unbase64url(arena, sealed, &bytes) ||
        !master_key_open(site()->master_key, arena, purpose, place(arena, id), bytes, &plain))
        return false;
    *state = (struct upload_state){0};
    if (!split(plain, lines) || !text_to_int64(lines[2], &state->created))
        return false;
    state->rid = lines[0];
    state->repository = lines[1];
    memcpy(state->id, id, sizeof state->id);
    return true;
}

bool upload_state_fresh(const struct upload_state *state)
{
    int64_t age = clock_wall() - state->created;
    return age < fresh_for && age > -fresh_for; // another replica's clock may be ahead of ours
}

struct text upload_location(struct arena *arena, const struct upload_state *state)
{
    struct text sealed = upload_state_seal(arena, state);
    return text_of(arena_printf(arena, "/v2/%.*s/blobs/uploads/%s?_nouploadcache=false&_state=%.*s",
                                TEXT_ARG(state->repository), state->id, TEXT_ARG(sealed)));
}
