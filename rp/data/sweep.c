// The sweep: one thread that turns unreferenced blobs and dead uploads into garbage, and garbage into free
// space. It reads rows only and works in small transactions; replicas share the work by skipping what another
// has locked.
#include "rp/data/sweep.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/site.h"
#include "rp/data/content.h"
#include "rp/data/janitor.h"
#include "rp/data/retention.h"
#include "rp/data/store.h"
#include "rp/data/upload_reserve.h"
#include "rp/data/upload_sizes.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    NEVER_REFERENCED_MS = 3600 * 1000, // a blob that waits for its manifest
    PROMISED_MS = 600 * 1000,          // somebody was told that it exists
    UPLOAD_MS = 24 * 3600 * 1000,      // a session nobody touches
    BATCH = 100,
    GARBAGE_BATCH = 64, // few enough that a slow disk is done before a transaction may not idle longer
    ROUNDS = 64,        // batches in one wake
    SIZES_US = 1200000, // by then a session has its row
    TICK_MS = 1000,
    TICK_LOW_WATER_MS = 100,
    GARBAGE_LEAST_MS = 1000, // a request may be about to make that file (upload.c)
};

struct sweep {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping;
    struct db_connection *connection;
    struct janitor janitor;
};

// How long things are kept, in milliseconds.
struct grace {
    int64_t never_referenced, promised, upload, reserved, garbage, deleted;
};

// Tests of failpoint builds need not wait an hour.
static int64_t grace_or(const char *variable, int64_t usual)
{
#ifdef AZSACR_FAILPOINTS
    const char *given = getenv(variable);
    int64_t number;
    if (given != NULL && text_to_int64(text_of(given), &number))
        return number;
#else
    (void)variable;
#endif
    return usual;
}

static struct grace grace_now(void)
{
    static const char blob_grace[] = "AZSACR_SWEEP_GRACE_MS";
    return (struct grace){
        .never_referenced = grace_or(blob_grace, NEVER_REFERENCED_MS),
        .promised = grace_or(blob_grace, PROMISED_MS),
        .upload = grace_or("AZSACR_SWEEP_UPLOAD_GRACE_MS", UPLOAD_MS),
        .reserved = UPLOAD_MS,
        .garbage =
            store_low_water() ? GARBAGE_LEAST_MS : grace_or(blob_grace, site()->config->store_grace * 1000),
        .deleted = retention_ms(),
    };
}

// One step's work and what it did.
struct step {
    struct grace grace;
    size_t done;
};

// ---- blobs

#define AGO(parameter) "now() - " parameter "::bigint * interval '1 millisecond'"
// A blob whose last manifest went, and of which nobody was told that it exists, goes at once. Two halves, so
// that each is a range of the index of what is unreferenced.
#define NEVER_DUE(grace) " not b.referenced and not b.ever_referenced and b.touched < " AGO(grace)
#define RELEASED_DUE(grace)                                                                                  \
    " not b.referenced and b.ever_referenced and (not b.promised or b.touched < " AGO(grace) ")"
static const struct db_statement sweep_registry = {
    "sweep_registry", "select q.registry_id from ((select b.registry_id from acr.blob b where" RELEASED_DUE(
                          "$2") " limit 1)"
                                " union all (select b.registry_id from acr.blob b where" NEVER_DUE(
                                    "$1") " order by b.touched limit 1)) q"
                                          " limit 1"};
// After the usage lock, in a statement of its own; the row lock re-reads `referenced` and `touched` as they
// are now.
static const struct db_statement sweep_due = {
    "sweep_due",
    "select b.digest from acr.blob b where b.registry_id = $1 and not b.referenced"
    " and (" NEVER_DUE("$2") " or" RELEASED_DUE("$3") ")"
                                                      " order by b.digest limit $4 for update skip locked"};
static const struct db_statement sweep_unlink = {
    "sweep_unlink", "delete from acr.blob_link where registry_id = $1 and digest = any($2::text[])"};
static const struct db_statement sweep_blobs = {
    "sweep_blobs", "with g as (delete from acr.blob where registry_id = $1 and digest = any($2::text[])"
                   " and not referenced returning file, size)"
                   " insert into acr.garbage (file, size) select file, size from g"};

// Digests and ids hold nothing that an array's text would need to quote.
static void array_add(struct buffer *array, struct text element)
{
    buffer_char(array, array->length == 0 ? '{' : ',');
    buffer_text(array, element);
}

static struct db_value array_value(struct buffer *array)
{
    buffer_string(array, array->length == 0 ? "{}" : "}");
    return db_text(buffer_done(array));
}

static bool blobs_run(struct db_transaction *tx, void *argument)
{
    struct step *step = argument;
    struct db_value never = db_int(step->grace.never_referenced), promised = db_int(step->grace.promised);
    step->done = 0;
    const struct db_result *registry = DB_RUN(tx, &sweep_registry, never, promised);
    if (db_rows(registry) == 0)
        return true;
    int64_t id = db_get_int(registry, 0, 0);
    usage_lock(tx, id);
    failpoint("sweep.locked");
    const struct db_result *due = DB_RUN(tx, &sweep_due, db_int(id), never, promised, db_int(BATCH));
    if (db_rows(due) > 0) {
        struct buffer array = buffer_new(db_arena(tx));
        for (size_t i = 0; i < db_rows(due); i++)
            array_add(&array, db_get(due, i, 0));
        struct db_value digests = array_value(&array);
        DB_RUN(tx, &sweep_unlink, db_int(id), digests);
        DB_RUN(tx, &sweep_blobs, db_int(id), digests);
    }
    step->done = db_rows(due);
    failpoint("sweep.before_commit");
    return true;
}

// ---- uploads

// A number that the planner sees (content_remove.c).
#define UPLOADS_A_STEP "100"
static const struct db_statement sweep_uploads = {
    "sweep_uploads",
    "with g as (delete from acr.upload where id in (select id from acr.upload"
    " where touched < " AGO("$1") " order by touched limit " UPLOADS_A_STEP " for update skip locked)"
                                  " returning id)"
                                  " insert into acr.garbage (file) select g.id from g"
                                  " where not exists (select 1 from acr.blob b where b.file = g.id)"
                                  " on conflict (file) do nothing"};

// Granted within the minutes after they were made, or never (upload_reserve.c).
static const struct db_statement sweep_reserved = {
    "sweep_reserved",
    "with g as (delete from acr.upload_reserved where id in (select id from acr.upload_reserved"
    " where at < " AGO(
        "$1") " order by at limit " UPLOADS_A_STEP " for update skip locked)"
              " returning id)"
              " insert into acr.garbage (file) select g.id from g on conflict (file) do nothing"};

static bool uploads_run(struct db_transaction *tx, void *argument)
{
    struct step *step = argument;
    step->done = db_affected(DB_RUN(tx, &sweep_uploads, db_int(step->grace.upload)));
    step->done += db_affected(DB_RUN(tx, &sweep_reserved, db_int(step->grace.reserved)));
    failpoint("sweep.uploads_before_commit");
    return true;
}

// ---- garbage

// With the net: whatever went wrong before, the file of a blob is not unlinked.
static const struct db_statement sweep_garbage = {
    "sweep_garbage",
    "select g.file, exists (select 1 from acr.blob b where b.file = g.file) from acr.garbage g"
    " where g.at < " AGO("$1") " order by g.at limit $2 for update of g skip locked"};
static const struct db_statement sweep_removed = {"sweep_removed",
                                                  "delete from acr.garbage where file = any($1::uuid[])"};

static void keep_blob(struct buffer *gone, const char *file)
{
    log_error("sweep.garbage_is_a_blob", "file", file);
    array_add(gone, text_of(file));
}

// Unlink, sync the directories, delete the rows: a crash between leaves the rows, and absent files are well.
static bool garbage_run(struct db_transaction *tx, void *argument)
{
    struct step *step = argument;
    struct store_removal removals[GARBAGE_BATCH];
    step->done = 0;
    const struct db_result *files =
        DB_RUN(tx, &sweep_garbage, db_int(step->grace.garbage), db_int(GARBAGE_BATCH));
    if (db_rows(files) == 0)
        return true;
    struct buffer gone = buffer_new(db_arena(tx));
    size_t count = 0;
    for (size_t i = 0; i < db_rows(files); i++) {
        const char *id = text_cstr(db_arena(tx), db_get(files, i, 0));
        if (db_get_bool(files, i, 1))
            keep_blob(&gone, id);
        else
            removals[count++] = (struct store_removal){.id = id};
    }
    failpoint("sweep.before_unlink");
    store_remove_many(removals, count);
    failpoint("sweep.after_unlink");
    for (size_t i = 0; i < count; i++) {
        if (removals[i].fault != STORE_OK)
            continue;
        array_add(&gone, text_of(removals[i].id));
        step->done++;
    }
    DB_RUN(tx, &sweep_removed, array_value(&gone));
    return true;
}

// ---- deleted repositories whose retention is over

static bool kept_run(struct db_transaction *tx, void *argument)
{
    struct step *step = argument;
    step->done = retention_end(tx, step->grace.deleted, BATCH);
    return true;
}

// ---- the thread

// True: something was done, there may be more.
static bool run_step(struct sweep *sweep, bool (*run)(struct db_transaction *, void *), struct grace grace)
{
    struct step step = {.grace = grace};
    return db_transact(sweep->connection, run, &step) == DB_COMMITTED && step.done > 0;
}

static bool stopping(struct sweep *sweep)
{
    pthread_mutex_lock(&sweep->mutex);
    bool answer = sweep->stopping;
    pthread_mutex_unlock(&sweep->mutex);
    return answer;
}

// Most of the time is the others', unless the disk is short.
static void rest(int64_t microseconds)
{
    enum { LONGEST_US = 200000 };
    microseconds *= grace_or("AZSACR_SWEEP_REST", 3);
    if (!store_low_water())
        usleep((useconds_t)(microseconds < LONGEST_US ? microseconds : LONGEST_US));
}

static void sweep_once(struct sweep *sweep)
{
    bool more = true;
    for (int round = 0; more && round < ROUNDS && !stopping(sweep); round++) {
        failpoint("sweep.begin");
        struct grace grace = grace_now();
        int64_t began = clock_monotonic();
        upload_reserve_write(sweep->connection);
        upload_sizes_write(sweep->connection, SIZES_US);
        more = run_step(sweep, blobs_run, grace);
        more |= run_step(sweep, uploads_run, grace);
        more |= run_step(sweep, garbage_run, grace);
        more |= run_step(sweep, kept_run, grace);
        if (more)
            rest(clock_monotonic() - began);
    }
}

static void *sweep_main(void *argument)
{
    struct sweep *sweep = argument;
    pthread_mutex_lock(&sweep->mutex);
    while (!sweep->stopping) {
        pthread_mutex_unlock(&sweep->mutex);
        sweep_once(sweep);
        janitor_turn(&sweep->janitor, sweep->connection);
        int64_t tick = store_low_water() ? TICK_LOW_WATER_MS : grace_or("AZSACR_SWEEP_TICK_MS", TICK_MS);
        int64_t until = clock_monotonic() + tick * 1000;
        struct timespec limit = {until / 1000000, until % 1000000 * 1000};
        pthread_mutex_lock(&sweep->mutex);
        if (!sweep->stopping)
            pthread_cond_timedwait(&sweep->wake, &sweep->mutex, &limit);
    }
    pthread_mutex_unlock(&sweep->mutex);
    return NULL;
}

struct sweep *sweep_start(const struct db_target *target)
{
    struct sweep *sweep = xcalloc(1, sizeof *sweep);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&sweep->mutex, NULL);
    pthread_cond_init(&sweep->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sweep->connection = db_connection_new(target);
    if (pthread_create(&sweep->thread, NULL, sweep_main, sweep) == 0)
        return sweep;
    log_error("sweep.start", "problem", "no thread");
    db_connection_free(sweep->connection);
    free(sweep);
    return NULL;
}

void sweep_stop(struct sweep *sweep)
{
    if (sweep == NULL)
        return;
    pthread_mutex_lock(&sweep->mutex);
    sweep->stopping = true;
    pthread_cond_signal(&sweep->wake);
    pthread_mutex_unlock(&sweep->mutex);
    pthread_join(sweep->thread, NULL);
    db_connection_free(sweep->connection);
    pthread_mutex_destroy(&sweep->mutex);
    pthread_cond_destroy(&sweep->wake);
    free(sweep);
}
