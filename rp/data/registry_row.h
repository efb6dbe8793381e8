// The registry's columns, which every deciding statement of the data plane brings together with the RBAC
// version.
//
//   static const struct db_statement manifest_get = {
//       "manifest_get", "select " REGISTRY_COLUMNS ", m.digest, m.media_type, m.content" REGISTRY_FROM
//                       " left join acr.repository p on p.registry_id = r.id and p.name = $2 …"};
//
// The host's login key is $1. Outer joins only: an absent registry, repository or manifest still brings the
// version. Own columns start at REGISTRY_COLUMN_COUNT.
#pragma once
#include "db/database.h"
#include "rbac/snapshot.h"
#include "rp/data/call.h"

#define REGISTRY_COLUMNS_WITH(quota)                                                                         \
    RBAC_VERSION_COLUMNS ", r.id, r.rid, e.name, r.login_key,"                                               \
                         " '/subscriptions/' || e.subscription_id || '/resourceGroups/' || g.name"           \
                         " || '/providers/Microsoft.ContainerRegistry/registries/' || e.name,"               \
                         " r.admin_enabled, r.password, r.password2, r.password_stamp, r.password2_stamp,"   \
                         " " quota ", e.group_id"
// The registry's own quota, else its subscription's, else null.
#define REGISTRY_QUOTA                                                                                       \
    "coalesce(r.quota_bytes, (select q.registry_bytes from acr.subscription_quota q"                         \
    " where q.subscription_id = e.subscription_id))"
// For who reads: without a look for the quota.
#define REGISTRY_COLUMNS REGISTRY_COLUMNS_WITH("null")
// For who may bring bytes.
#define REGISTRY_PUSH_COLUMNS REGISTRY_COLUMNS_WITH(REGISTRY_QUOTA)
#define REGISTRY_FROM " from rbac.version v" REGISTRY_OF("$1")
// For a statement that answers several at once (struct db_query), with the login keys in a column.
#define REGISTRY_OF(login_key)                                                                               \
    REGISTRY_KNOWN_OF(login_key) " left join arm.resource_group g on g.id = e.group_id"
// The same with the registry's row held (for key share), so that it cannot be deleted under a write. The
// version may be older than the row where the lock had to be waited for: who writes looks at it again before
// the commit (registry_still_admitted).
#define REGISTRY_FROM_HELD                                                                                   \
    " from rbac.version v left join lateral (select id, rid, login_key, admin_enabled, password,"            \
    " password2, password_stamp, password2_stamp, quota_bytes from acr.registry where login_key = $1"        \
    " for key share) r on true"                                                                              \
    " left join arm.resource e on e.id = r.id left join arm.resource_group g on g.id = e.group_id"
enum { REGISTRY_COLUMN_COUNT = 14 };

// Of a registry that this process knows (rp/data/registry_known.h): what tells whether it is still the same.
#define REGISTRY_KNOWN_COLUMNS                                                                               \
    RBAC_VERSION_COLUMNS                                                                                     \
    ", r.id, r.admin_enabled, r.password_stamp, r.password2_stamp, e.group_id, " REGISTRY_QUOTA
#define REGISTRY_KNOWN_OF(login_key)                                                                         \
    " left join acr.registry r on r.login_key = " login_key " left join arm.resource e on e.id = r.id"
enum { REGISTRY_KNOWN_COLUMN_COUNT = 8 };

// The version and the registry alone, with $1 the login key; and the same with its row held.
extern const struct db_statement registry_find_statement, registry_hold_statement;

// From the first row. False when the host names no registry. Texts are copied into the arena; a quota that
// the row leaves open is the configured default.
bool registry_row_parse(struct arena *arena, const struct db_result *result, struct registry *registry);
// "myreg.azsacr.<region>.<domain>[:port]": what ARM shows as loginServer, challenges as service, tokens as
// aud.
struct text registry_login_server(struct arena *arena, struct text login_key);
