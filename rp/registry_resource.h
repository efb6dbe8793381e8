// A registry as the control plane knows it: its envelope and its own settings; how it is read and shown.
#pragma once
#include "arm/resource.h"
#include "rp/versions.h"

#define REGISTRY_TYPE "Microsoft.ContainerRegistry/registries"
#define REGISTRY_TYPE_KEY "microsoft.containerregistry/registries"

enum { REGISTRY_SOFT_DELETE_DAYS = 7 }; // what the policy that is never on says

struct registry_settings {
    bool admin_enabled;
    struct text quarantine_status, trust_status, retention_status; // "enabled" or "disabled"
    int64_t retention_days;
    int64_t retention_updated_at; // microseconds
};

struct registry_resource {
    struct arm_resource envelope;
    struct registry_settings settings;
};

// What a statement selects of arm.resource_group g, arm.resource e, acr.registry r for
// registry_resource_parse.
// date_part counts in floating point, exact to the microsecond until 2106; extract would count in numeric.
#define REGISTRY_MICROSECONDS(column) "(date_part('epoch', " column ") * 1000000)::bigint"
#define REGISTRY_RESOURCE_COLUMNS                                                                            \
    "e.id, e.subscription_id, g.name, e.name, e.location, e.tags, e.sku, e.state, " REGISTRY_MICROSECONDS(   \
        "e.created_at") ", " REGISTRY_MICROSECONDS("e.changed_at") ", e.created_by, e.created_by_type, "     \
                                                                   "e.changed_by, e.changed_by_type, "       \
                                                                   "r.admin_enabled, r.quarantine_status, "  \
                                                                   "r.trust_status, r.retention_days, "      \
                                                                   "r.retention_status,"                     \
                                                                   " " REGISTRY_MICROSECONDS(                \
                                                                       "r.retention_updated_at")
enum { REGISTRY_RESOURCE_COLUMN_COUNT = 20 };

// Columns from `from` on: what is shown, so group_id is not among it; texts are the result's. False when the
// row names none.
bool registry_resource_parse(const struct db_result *result, size_t row, size_t from,
                             struct registry_resource *registry);
// The registry that the path names, with its settings; without one, ResourceNotFound.
bool registry_resource_of_path(struct arm_call *call, enum arm_lock lock, struct registry_resource *registry);
// The settings of a registry whose envelope is known.
bool registry_settings_read(struct arm_call *call, int64_t id, struct registry_settings *settings);

// Compact JSON in the recorded order of keys.
struct text registry_json(struct arena *arena, const char *api_version,
                          const struct registry_resource *registry);
void registry_write(struct buffer *out, const char *api_version, const struct registry_resource *registry);
struct text registry_properties_json(struct arena *arena, const char *api_version,
                                     const struct registry_resource *registry);
// "lower(name)<suffix>".
struct text registry_host_of(struct arena *arena, struct text name);

// The name's rules: 5 to 50 letters and digits, not a reserved one.
bool registry_name_well_formed(struct text name);
bool registry_name_reserved(struct text name);
