// What this process read of registries within the last second, with the version of the access data that came
// with it. A decision made from it is none until a statement proves it (REGISTRY_PROOF): the statement does
// nothing where the version or the registry's own columns differ by then. So a request decides and acts in
// one round trip, and no grant and no removal is missed.
#pragma once
#include "rp/data/call.h"

// After call->registry was read together with call->version and judged by a snapshot of that version.
void registry_remember(const struct registry_call *call);
void registry_forget(const struct registry_call *call);
// Fills registry and version where the host's registry was remembered within the last second; nothing is
// decided.
bool registry_recall(struct registry_call *call);
// Whether the row of a statement with REGISTRY_KNOWN_COLUMNS shows call->registry as it was recalled.
bool registry_is_as_recalled(const struct registry_call *call, const struct db_result *row);
// After that, and after call->registry was judged by a snapshot of call->version: it counts as read now.
void registry_reaffirm(const struct registry_call *call);
// Decides as registry_admit does, without the database. True: registry, identity and version are filled; the
// decision is to be proven. False: not known, or to be refused; nothing is answered: registry_admit says
// what. Set before: arena, request, answer, repository.
bool registry_admit_known(struct registry_call *call, enum registry_access access);

// What a decision hangs on, for rows v of rbac.version, r of acr.registry and e of arm.resource: $1 to $6,
// with their values.
#define REGISTRY_PROOF                                                                                       \
    "v.stamp = $1 and r.id = $2 and r.admin_enabled = $3 and r.password_stamp = $4"                          \
    " and r.password2_stamp = $5 and e.id = r.id and e.group_id = $6"
#define REGISTRY_PROOF_VALUES(call)                                                                          \
    db_string((call)->version.stamp), db_int((call)->registry.id), db_bool((call)->registry.admin_enabled),  \
        db_int((call)->registry.password_stamp), db_int((call)->registry.password2_stamp),                   \
        db_int((call)->registry.group_id)
