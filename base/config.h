// What the operator set: azsacr.conf (key = value), then AZSACR_KEY of the environment over it, and the names
// and addresses that follow from it.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct config {
    // Where everything we own lives.
    const char *state;   // STATE directory, absolute
    const char *runtime; // sockets: STATE/run, or shorter when STATE is too long for a socket address
    const char *store;   // blob files: STATE/store unless set
    // Names.
    const char *region; // "local"
    const char *domain; // "azurestack.external"
    int port;           // of the edge, 443 or another
    const char *listen; // address the edge listens on; "0.0.0.0" and "::" unless set
    // Database.
    const char *database; // libpq connection string; NULL: the private cluster
    // Sizes.
    int loops;                // event loops of one serve: 2
    int request_workers;      // 8
    int job_workers;          // 2
    int receiver_connections; // database connections of the receiver: 16
    int receiver_threads;     // uploads at once: 1000
    // Behaviour.
    const char *api_versions; // "mixed", "strict", "modern" (decisions 8)
    const char *sku;          // "any" (Basic and Standard) or "standard-only" (decisions 2)
    bool hybrid_shim;         // decisions 23
    bool throttle;            // decisions 5
    // A principal's buckets in a subscription: how many requests at once, and how many a second come back.
    int throttle_reads, throttle_reads_per_second;     // 250, 25
    int throttle_writes, throttle_writes_per_second;   // 200, 10
    int throttle_deletes, throttle_deletes_per_second; // 200, 10
    int throttle_global;      // everybody's bucket in a subscription, in buckets of one; 0: none. 15
    int activity_retention;   // days that the activity log goes back: 90
    const char *registration; // of a subscription nobody registered: "automatic" (registered) or "required"
    int operation_retention;  // days that a finished operation can be asked for: 7
    int deleted_retention;    // days that what was deleted can be recovered: 0, not at all
    int untagged_retention;   // days that a manifest without a tag is kept: 0, for ever
    int64_t registry_quota;   // bytes of one registry, where the operator set none: 100 GiB (decisions 37)
    int64_t low_water;        // free bytes below which pushes are refused; 0: larger of 2 GiB and 5 %
    int64_t store_grace;      // seconds a garbage file waits: 60
    const char *loopback;     // "127.0.0.1:PORT" for a plain TCP listener beside the sockets (bench); NULL
    bool hello;            // a host "hello.…" that answers 12 bytes, what bench/run measures against; off
    const char *protect;   // decisions 28: "children"
    const char *log_level; // "info"
    // From where linked templates are fetched: host or host:port, between commas; "" (nowhere) unless set.
    const char *template_link_hosts;
    const char *template_link_ca; // a PEM file of authorities that those hosts are trusted by; NULL: none
    // Pages of which origins may read answers in a browser, between commas; NULL: the portal's; "none".
    const char *portal_origins;
    // Computed, lower case.
    const char *const *origins;    // of portal_origins, NULL-ended
    const char *const *link_hosts; // of template_link_hosts: "host:port", NULL-ended (base/host_list.h)
    const char *suffix;            // "azsacr.local.azurestack.external"
    const char *acr_suffix;        // ".azsacr.local.azurestack.external[:port]"
    const char *host_management;   // "management.local.azurestack.external"
    const char *host_admin;        // "adminmanagement.…"
    const char *host_adfs;         // "adfs.…"
    const char *host_graph;        // "graph.…"
    const char *host_portal;       // "portal.…"
    const char *host_hello;        // "hello.…", NULL unless `hello`
    const char *port_suffix;       // "" or ":8443"
    const char *url_management;    // "https://management.…[:port]" and so on, no trailing slash
    const char *url_admin;
    const char *url_adfs; // "https://adfs.…[:port]"
    const char *url_graph;
    const char *url_portal;
    // Filled from the database or first start.
    const char *tenant_id;
    const char *audience; // "https://management.adfs.<region>.<domain>/<tenant id>": ARM's audience
};

// Reads `path` (may be absent, unless AZSACR_CONFIG names it) and the environment; `state` wins over both
// when not NULL. NULL with *why, which names file, line and, for an unknown key, the nearest known one. Lives
// in the arena.
struct config *config_load(struct arena *arena, const char *state, const char *path, const char **why);
// Bytes, or a number with K, M, G or T (powers of 1,024), as sizes are written here and on command lines.
bool config_size(struct text value, int64_t *size);
// Fills the computed members anew (after --port, --region or --domain).
void config_derive(struct arena *arena, struct config *config);
