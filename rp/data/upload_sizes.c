// Sizes of sessions on their way to acr.upload.
#include "rp/data/upload_sizes.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A session below it is not written down. Beyond `LIMIT` in one second the rest waits for its next request.
enum { LEAST = 64 << 10, LIMIT = 1 << 14 };

struct note {
    char id[37];
    int64_t size, at; // monotonic
};

static struct {
    pthread_mutex_t mutex;
    struct note *notes;
    size_t count, room;
} pending = {.mutex = PTHREAD_MUTEX_INITIALIZER};

// The latest note of a session counts. A session that a request has in its hands is left out: it may wait for
// something else of this batch.
static const struct db_statement write_statement = {
    "upload_sizes_write",
    "with k as (select distinct on (n.id) n.id, n.size from"
    " json_to_recordset($1::json) as n (i bigint, id uuid, size bigint) order by n.id, n.i desc),"
    " free as (select u.id, k.size from k join acr.upload u on u.id = k.id and u.size <> k.size"
    " for update of u skip locked)"
    " update acr.upload u set size = free.size from free where u.id = free.id"};

void upload_size_note(const char *id, int64_t size)
{
    if (size < LEAST)
        return;
    pthread_mutex_lock(&pending.mutex);
    if (pending.count == pending.room && pending.room < LIMIT) {
        pending.room = pending.room ? pending.room * 2 : 64;
        pending.notes = xrealloc(pending.notes, pending.room * sizeof *pending.notes);
    }
    if (pending.count < pending.room) {
        struct note *note = &pending.notes[pending.count++];
        memcpy(note->id, id, sizeof note->id);
        note->size = size;
        note->at = clock_monotonic();
    }
    pthread_mutex_unlock(&pending.mutex);
}

void upload_size_forget(const char *id)
{
    pthread_mutex_lock(&pending.mutex);
    size_t kept = 0;
    for (size_t i = 0; i < pending.count; i++)
        if (strcmp(pending.notes[i].id, id) != 0)
            pending.notes[kept++] = pending.notes[i];
    pending.count = kept;
    pthread_mutex_unlock(&pending.mutex);
}

struct batch {
    struct note *notes;
    size_t count;
};

static bool write_run(struct db_transaction *tx, void *argument)
{
    const struct batch *batch = argument;
    struct buffer out = buffer_new(db_arena(tx));
    json_begin_array(&out);
    for (size_t i = 0; i < batch->count; i++) {
        json_begin_object(&out);
        json_key_int(&out, "i", (int64_t)i);
        json_key_string(&out, "id", batch->notes[i].id);
        json_key_int(&out, "size", batch->notes[i].size);
        json_end_object(&out);
    }
    json_end_array(&out);
    DB_RUN(tx, &write_statement, db_text(buffer_done(&out)));
    return true;
}

void upload_sizes_write(struct db_connection *connection, int64_t older_than_us)
{
    int64_t due = clock_monotonic() - older_than_us;
    struct batch batch = {NULL, 0};
    pthread_mutex_lock(&pending.mutex);
    while (batch.count < pending.count && pending.notes[batch.count].at <= due)
        batch.count++;
    if (batch.count > 0) {
        batch.notes = xmalloc(batch.count * sizeof *batch.notes);
        memcpy(batch.notes, pending.notes, batch.count * sizeof *batch.notes);
        pending.count -= batch.count;
        memmove(pending.notes, pending.notes + batch.count, pending.count * sizeof *pending.notes);
    }
    pthread_mutex_unlock(&pending.mutex);
    // What fails is written by the session's next request, or never: the sums are soft.
    if (batch.count > 0)
        db_act(connection, write_run, &batch);
    free(batch.notes);
}
