// The envelope of tracked resources (arm.resource): what every type's handler does with its row, location and
// tags. Failures are worded here (arm_fail); a function that answers false or NULL has failed the call.
#pragma once
#include "arm/call.h"
#include "arm/resource_id.h"

// Who did something, as systemData tells it: a "User" by the upn, an "Application" by its id. Absent: it was
// done before this was kept.
struct arm_author {
    struct text name, type;
};

struct arm_resource {
    int64_t id, group_id;
    struct text subscription_id; // lower case
    struct text group;           // the group's stored name
    struct text type;            // "Microsoft.ContainerRegistry/registries"
    struct text name;            // as stored; children "registry/hook"
    struct text location;
    struct text tags;  // a JSON object, members in the order given; never absent after a read ("{}")
    struct text sku;   // absent: none
    struct text state; // "Succeeded"
    int64_t created_at, changed_at; // microseconds
    struct arm_author created_by, changed_by;
};

enum arm_lock { ARM_LOCK_NONE, ARM_LOCK_KEY_SHARE, ARM_LOCK_UPDATE };

// The resource of that type and name in call's group; false without a failure when there is none. Use
// ARM_LOCK_UPDATE to change or delete it, ARM_LOCK_KEY_SHARE to create something below it.
bool arm_resource_find(struct arm_call *call, const char *type, struct text name, enum arm_lock lock,
                       struct arm_resource *resource);
// Who creates in a group holds this lock shared, taken by a statement before the one that reads the state;
// whoever changes that state waits for it (trigger group_changes). Sixteen creators who share the group's row
// instead cost PostgreSQL a multixact each.
#define ARM_GROUP_SHARED(group) "pg_advisory_xact_lock_shared(7306, (" group " & 2147483647)::integer)"
// The beginning of a type's own statement, which makes its rows beside it in one round trip: with `e`, the
// row's id, empty when the group is gone, going or called otherwise, when the namespace is not registered any
// more, or when a row of that name or id is there by now: ids wait in the process for their rows, and a
// database that came back from an older state gives them once more. Its first parameters are the values
// below, which also complete `resource` (state, when absent: "Succeeded").
#define ARM_RESOURCE_CREATE                                                                                  \
    "with g as materialized (select g.id from arm.resource_group g where g.id = $2 and "                     \
    "g.state <> 'Deleting' and g.moved_by is not distinct from $15::uuid and g.name = $16 "                  \
    "and ($17::text is null or coalesce((select p.state from arm.provider_registration p where "             \
    "p.subscription_id = $3::uuid and p.namespace_key = split_part($5, '/', 1)), $17) = 'Registered')), "    \
    "e as ("                                                                                                 \
    "insert into arm.resource "                                                                              \
    "(id, group_id, subscription_id, "                                                                       \
    "type, type_key, name, name_key, location, tags, sku, state, created_at, changed_at, created_by, "       \
    "created_by_type, changed_by, changed_by_type) "                                                         \
    "overriding system value select $1::bigint, g.id, $3::uuid, $4, $5, $6, $7, $8, $9::json, $10, "         \
    "$11, " ARM_RESOURCE_CREATE_TIME ", " ARM_RESOURCE_CREATE_TIME ", $13, $14, $13, $14 from g "            \
    "on conflict do nothing returning id)"
#define ARM_RESOURCE_CREATE_TIME "'epoch'::timestamptz + $12::bigint * interval '1 microsecond'"
enum { ARM_RESOURCE_CREATE_VALUES = 17 };
// Before it: call->new_id and the group's lock, where the door saw the resource and it went meanwhile. False
// when that failed.
bool arm_resource_new_id(struct arm_call *call);
void arm_resource_create_values(struct arm_call *call, struct arm_resource *resource,
                                struct db_value values[ARM_RESOURCE_CREATE_VALUES]);
// Writes tags, sku, name's casing and state, and raises changed_at and changed_by (given back). Every
// statement that changes a resource for a caller writes the two.
void arm_resource_update(struct arm_call *call, struct arm_resource *resource);
// Deletes the row and the role assignments at and below its id. The type's own rows must be gone already.
void arm_resource_delete(struct arm_call *call, const struct arm_resource *resource);
struct text arm_resource_id(struct arena *arena, const struct arm_resource *resource);

// The caller; absent where nobody calls (a job).
struct arm_author arm_author_of(const struct arm_call *call);
// The key systemData and its object.
void arm_write_system_data(struct buffer *out, const struct arm_resource *resource);

// If-Match and If-None-Match of a write; `etag` as its header has it, TEXT_NONE for types without. False
// after 412. Of a PATCH or DELETE only once the resource is known to exist: without one they answer 404 and
// 204.
bool arm_precondition(struct arm_call *call, bool exists, struct text etag);

// "West US" and "westus" are one. True when it is the region that we have.
bool arm_location_is_ours(struct text location);
// body.location of a PUT of `type`: the region's canonical name, or NULL after LocationRequired or
// LocationNotAvailableForResourceType. `existing` (absent on create): 409 InvalidResourceLocation when it
// differs.
const char *arm_location_of_body(struct arm_call *call, const char *type, struct text name,
                                 struct text existing);

// body.tags, checked against the limits of arm-core 1.2, as JSON text; "{}" when absent or null. False after
// a failure.
bool arm_tags_of_body(struct arm_call *call, json_t *tags, struct text *json);
// One pair against the same limits. False after a failure.
bool arm_tag_check(struct arm_call *call, struct text name, struct text value);

// A member of a JSON object of the wanted type; absent and null give TEXT_NONE / the fallback. The failure is
// InvalidRequestContent naming value, type and path (decisions 20); `path` is the member's:
// "properties.adminUserEnabled".
bool arm_body_text(struct arm_call *call, const json_t *object, const char *member, const char *path,
                   struct text *value);
bool arm_body_bool(struct arm_call *call, const json_t *object, const char *member, const char *path,
                   bool *value);
bool arm_body_int(struct arm_call *call, const json_t *object, const char *member, const char *path,
                  int64_t *value);
// NULL in *value when absent or null.
bool arm_body_object(struct arm_call *call, const json_t *object, const char *member, const char *path,
                     json_t **value);
// 400 InvalidRequestContent, "The request content was invalid and could not be deserialized: '…'."
void arm_fail_content(struct arm_call *call, struct text value, const char *type, const char *path);
// A member by its name in any case, as published clients differ in it; NULL where it is absent or null, and
// of what is no object. The object keeps it.
json_t *arm_member_nocase(const json_t *object, const char *name);

// Paging of lists (arm-core 1.6). $top, and the opaque position in $skiptoken; false after 400. `top` is 1 …
// 1,000.
bool arm_page_of_query(struct arm_call *call, size_t *top, struct text *position);
// nextLink for the page after `position`: the client's own URL with $skiptoken, absolute.
const char *arm_next_link(struct arm_call *call, struct text position);
