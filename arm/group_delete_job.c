// The job that deletes a group: passes over its resources, by type and name from the last, so that children
// go before their parents ("registries/webhooks" comes after "registries"); a few resources a step. What is
// refused is tried again in the next pass, as long as passes make progress; then the group goes back to
// Succeeded and the operation ends with what blocked it (arm-core 2.1).
#include "arm/group_delete.h"

#include "arm/asynchronous.h"
#include "arm/batch.h"
#include "arm/door.h"
#include "arm/locks.h"
#include "arm/move.h"
#include "arm/resource_id.h"
#include "base/arena.h"
#include "base/failpoint.h"
#include "rbac/roles.h"

enum {
    RESOURCES_A_STEP = 20,
    BLOCKED_NAMED = 20, // refusals that the answer lists
    STALLED_PASSES = 3, // passes without progress that end it: a refusal may be of the moment
    STALLED_WAIT_MS = 500,
};

static const struct db_statement group_of_job = {
    "arm_group_of_job",
    "select g.subscription_id, g.name, (select count(*) from arm.resource r where r.group_id = g.id) "
    "from arm.resource_group g where g.id = $1 for update of g"};
static const struct db_statement resources_of_group = {
    "arm_group_resources",
    "select r.id, r.type, r.name, r.type_key, r.name_key from arm.resource r where r.group_id = $1 "
    "and (r.type_key, r.name_key) < ($2, $3) "
    "order by r.type_key desc, r.name_key desc limit $4 for update"};
// '0' follows '/': what lies between is below the name.
static const struct db_statement has_children = {
    "arm_group_children",
    "select 1 from arm.resource r where r.group_id = $1 and r.type_key > $2 and r.type_key < $3 "
    "and r.name_key > $4 and r.name_key < $5 limit 1"};
static const struct db_statement resource_remove = {"arm_group_resource_remove",
                                                    "delete from arm.resource where id = $1"};
static const struct db_statement group_remove = {"arm_group_remove",
                                                 "delete from arm.resource_group where id = $1"};
static const struct db_statement group_restore = {
    "arm_group_restore", "update arm.resource_group set state = 'Succeeded', changed_at = clock_timestamp() "
                         "where id = $1 and state = 'Deleting'"};

struct blocked {
    const char *target, *code, *message;
};

// What one step leaves for the next.
struct progress {
    int64_t total;                      // resources that were there at first
    struct text after_type, after_name; // keys: this pass has seen all from here on
    int64_t gone;                       // of this pass
    int64_t refused;                    // of this pass
    int64_t stalled;                    // passes without progress, in a row
    bool begun;
    struct blocked blocked[BLOCKED_NAMED];
    size_t blocked_count;
};

struct deletion {
    struct db_transaction *tx;
    struct arena *arena;
    int64_t group_id;
    struct text subscription_id, name;
    struct progress progress;
};

static const char *copy_member(struct arena *arena, const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return arena_strdup(arena, value ? value : "");
}

static void read_progress(struct deletion *d, const struct job *job)
{
    json_t *notes = arm_job_notes(job);
    struct progress *p = &d->progress;
    p->begun = json_is_object(notes);
    p->total = json_integer_value(json_object_get(notes, "total"));
    p->after_type = TEXT("~"); // behind every type's name
    p->after_name = TEXT("");
    if (json_is_string(json_object_get(notes, "afterType"))) {
        p->after_type = text_of(copy_member(d->arena, notes, "afterType"));
        p->after_name = text_of(copy_member(d->arena, notes, "afterName"));
    }
    p->gone = json_integer_value(json_object_get(notes, "gone"));
    p->refused = json_integer_value(json_object_get(notes, "refused"));
    p->stalled = json_integer_value(json_object_get(notes, "stalled"));
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(notes, "blocked"), i, entry)
    {
        if (p->blocked_count < BLOCKED_NAMED)
            p->blocked[p->blocked_count++] =
                (struct blocked){copy_member(d->arena, entry, "target"), copy_member(d->arena, entry, "code"),
                                 copy_member(d->arena, entry, "message")};
    }
    json_decref(notes);
}

static struct text write_progress(const struct deletion *d, int64_t left)
{
    const struct progress *p = &d->progress;
    struct buffer b = buffer_new(d->arena);
    json_begin_object(&b);
    json_key_int(&b, "total", p->total);
    json_key_text(&b, "afterType", p->after_type);
    json_key_text(&b, "afterName", p->after_name);
    json_key_int(&b, "gone", p->gone);
    json_key_int(&b, "refused", p->refused);
    json_key_int(&b, "stalled", p->stalled);
    json_key(&b, "blocked");
    json_begin_array(&b);
    for (size_t i = 0; i < p->blocked_count; i++) {
        json_begin_object(&b);
        json_key_string(&b, "target", p->blocked[i].target);
        json_key_string(&b, "code", p->blocked[i].code);
        json_key_string(&b, "message", p->blocked[i].message);
        json_end_object(&b);
    }
    json_end_array(&b);
    json_end_object(&b);
    int64_t percent = p->total > 0 && left < p->total ? (p->total - left) * 100 / p->total : 0;
    return arm_job_progress(d->arena, (unsigned)(percent < 99 ? percent : 99), buffer_done(&b));
}

static void refuse(struct deletion *d, const char *target, const char *code, const char *message)
{
    struct progress *p = &d->progress;
    p->refused++;
    if (p->blocked_count < BLOCKED_NAMED)
        p->blocked[p->blocked_count++] = (struct blocked){target, code, message};
}

static const struct arm_type *type_of(struct text type_name)
{
    ptrdiff_t slash = text_find(type_name, '/');
    if (slash < 0)
        return NULL;
    return arm_type_find(text_slice(type_name, 0, (size_t)slash),
                         text_slice(type_name, (size_t)slash + 1, type_name.length));
}

static bool children_left(struct deletion *d, struct text type, struct text name)
{
    if (d->progress.refused == 0) // then all that comes after it is gone
        return false;
    struct text type_key = text_lower(d->arena, type), key = text_lower(d->arena, name);
    return db_rows(DB_RUN(d->tx, &has_children, db_int(d->group_id),
                          db_text(TEXT_JOIN(d->arena, type_key, TEXT("/"))),
                          db_text(TEXT_JOIN(d->arena, type_key, TEXT("0"))),
                          db_text(TEXT_JOIN(d->arena, key, TEXT("/"))),
                          db_text(TEXT_JOIN(d->arena, key, TEXT("0"))))) > 0;
}

static void delete_resource(struct deletion *d, int64_t id, struct text type_name, struct text name)
{
    struct text scope = resource_id_build(d->arena, d->subscription_id, d->name, type_name, name);
    const char *target = text_cstr(d->arena, scope), *why = NULL;
    const struct arm_type *type = type_of(type_name);
    if (!type || !type->delete_row) {
        refuse(d, target, "InvalidResourceType",
               arena_printf(d->arena, "The resource type '%.*s' is not known to this release.",
                            TEXT_ARG(type_name)));
        return;
    }
    if (children_left(d, type_name, name)) {
        refuse(d, target, "NestedResourcesExist", "Resources that are nested in it could not be deleted.");
        return;
    }
    if (type->delete_refusal)
        why = type->delete_refusal(d->tx, id, scope);
    if (why) {
        refuse(d, target, "Conflict", arena_strdup(d->arena, why));
        return;
    }
    type->delete_row(d->tx, id, scope);
    assignments_delete_below(d->tx, scope);
    DB_RUN(d->tx, &resource_remove, db_int(id));
    d->progress.gone++;
}

static enum job_verdict end_blocked(struct deletion *d, struct job_step *step, const char *code,
                                    const char *message)
{
    struct arm_failure failure = {.status = 409, .code = code, .message = message, .origin = FROM_GATEWAY};
    struct arm_failure_detail *last = NULL;
    for (size_t i = 0; i < d->progress.blocked_count; i++) {
        struct arm_failure_detail *detail = ARENA_NEW(d->arena, struct arm_failure_detail);
        const struct blocked *b = &d->progress.blocked[i];
        *detail = (struct arm_failure_detail){b->code, b->target, b->message, NULL};
        if (last)
            last->next = detail;
        else
            failure.details = detail;
        last = detail;
    }
    DB_RUN(d->tx, &group_restore, db_int(d->group_id));
    step->result = arm_job_failure(d->arena, &failure);
    return JOB_REFUSED;
}

// "ns/type/name" without the group's part, as Resource Manager lists what stood in the way.
static const char *blocked_names(struct deletion *d)
{
    struct buffer b = buffer_new(d->arena);
    size_t prefix =
        resource_id_of_group(d->arena, d->subscription_id, d->name).length + sizeof "/providers/" - 1;
    for (size_t i = 0; i < d->progress.blocked_count; i++)
        buffer_format(&b, "%s%s", i ? "," : "", d->progress.blocked[i].target + prefix);
    if (d->progress.refused > (int64_t)d->progress.blocked_count)
        buffer_string(&b, ",...");
    return text_cstr(d->arena, buffer_done(&b));
}

static enum job_verdict end_pass(struct deletion *d, struct job_step *step, int64_t left)
{
    struct progress *p = &d->progress;
    p->stalled = p->gone > 0 ? 0 : p->stalled + 1;
    if (p->stalled >= STALLED_PASSES)
        return end_blocked(
            d, step, "ResourceGroupDeletionBlocked",
            arena_printf(d->arena,
                         "Deletion of resource group '%.*s' failed as resources with identifiers '%s' could "
                         "not be deleted. The provisioning state of the resource group will be rolled back. "
                         "The tracking Id is '%s'. Please check audit logs for more details.",
                         TEXT_ARG(d->name), blocked_names(d), step->job->id));
    bool stalled = p->stalled > 0;
    p->after_type = TEXT("~");
    p->after_name = TEXT("");
    p->gone = p->refused = 0;
    p->blocked_count = 0;
    step->result = write_progress(d, left);
    step->wait_ms = STALLED_WAIT_MS;
    return stalled ? JOB_WAIT : JOB_AGAIN;
}

static bool group_id_of(const struct job *job, int64_t *id)
{
    json_t *payload = json_loadb(job->payload.base, job->payload.length, 0, NULL);
    bool sound = text_to_int64(text_of(json_string_value(json_object_get(payload, "group"))), id);
    json_decref(payload);
    return sound;
}

static enum job_verdict delete_some(struct deletion *d, struct job_step *step, int64_t left)
{
    struct progress *p = &d->progress;
    int64_t gone_before = p->gone;
    const struct db_result *resources =
        DB_RUN(d->tx, &resources_of_group, db_int(d->group_id), db_text(p->after_type),
               db_text(p->after_name), db_int(RESOURCES_A_STEP));
    size_t count = db_rows(resources);
    for (size_t i = 0; i < count; i++)
        delete_resource(d, db_get_int(resources, i, 0), db_get(resources, i, 1), db_get(resources, i, 2));
    left -= p->gone - gone_before;
    failpoint("group-delete.step");
    if (count == RESOURCES_A_STEP) {
        p->after_type = text_copy(d->arena, db_get(resources, count - 1, 3));
        p->after_name = text_copy(d->arena, db_get(resources, count - 1, 4));
        step->result = write_progress(d, left);
        return JOB_AGAIN;
    }
    if (p->refused > 0)
        return end_pass(d, step, left);
    assignments_delete_below(d->tx, resource_id_of_group(d->arena, d->subscription_id, d->name));
    DB_RUN(d->tx, &group_remove, db_int(d->group_id));
    step->result = arm_job_answer(d->arena, 200, TEXT_NONE);
    return JOB_DONE;
}

enum job_verdict group_delete_step(struct db_transaction *tx, struct job_step *step)
{
    struct deletion d = {.tx = tx, .arena = step->arena};
    if (!group_id_of(step->job, &d.group_id)) {
        struct arm_failure failure = {
            .status = 500, .code = "InternalServerError", .message = "The job's payload is malformed."};
        step->result = arm_job_failure(step->arena, &failure);
        return JOB_FAILED;
    }
    const struct db_result *group = DB_RUN(tx, &group_of_job, db_int(d.group_id));
    if (db_rows(group) == 0) { // an earlier step's commit was not seen
        step->result = arm_job_answer(step->arena, 200, TEXT_NONE);
        return JOB_DONE;
    }
    d.subscription_id = db_get(group, 0, 0);
    d.name = db_get(group, 0, 1);
    int64_t left = db_get_int(group, 0, 2);
    read_progress(&d, step->job);
    if (!d.progress.begun) {
        d.progress.total = left;
        // One that was put since the request, further up: nothing is removed yet, and nothing will be.
        struct text scope = resource_id_of_group(d.arena, d.subscription_id, d.name);
        struct text locked = arm_locks_against_delete(tx, d.arena, d.subscription_id, scope);
        if (locked.base) {
            struct text message = arm_locks_message(d.arena, scope, ARM_LOCK_DELETE, locked);
            return end_blocked(&d, step, "ScopeLocked", text_cstr(d.arena, message));
        }
    }
    return delete_some(&d, step, left);
}

void group_delete_given_up(struct db_transaction *tx, const struct job *job)
{
    int64_t id;
    if (strcmp(job->kind, GROUP_DELETE_JOB) == 0 && group_id_of(job, &id))
        DB_RUN(tx, &group_restore, db_int(id));
}

const struct job_kind arm_job_kinds[] = {
    {GROUP_DELETE_JOB, group_delete_step}, {MOVE_JOB, move_step}, {BATCH_JOB, batch_step}, {NULL, NULL}};
