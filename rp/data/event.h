// What happened to images, as rows for webhooks to send (db/migrations/0018_lists_and_events.sql); which act
// is which event is decisions 51. Each is written by the transaction that does the act.
#pragma once
#include "rp/data/call.h"

// The request behind an event, as a notification shows it; absent members where nobody asked for it.
struct event_request {
    struct text request_id, host, method, user_agent;
};
struct event_request event_request_of(const struct registry_call *call);

// The columns of acr.event that say who asked, and their values.
#define EVENT_REQUEST_COLUMNS "request_id, host, method, user_agent"
#define EVENT_REQUEST_VALUES(request)                                                                        \
    db_text((request).request_id), db_text((request).host), db_text((request).method),                       \
        db_text((request).user_agent)

// The actions of an event, as an SQL expression that gives a row for each: charts have one more of their own.
#define EVENT_ACTIONS(verb, config_media_type)                                                               \
    "unnest(case when " config_media_type " = 'application/vnd.cncf.helm.config.v1+json'"                    \
    " then array['" verb "', 'chart_" verb "'] else array['" verb "'] end)"

// Before the rows go: a manifest by its digest and once for each tag it takes with it; one tag; a
// repository's manifests, each once.
void event_manifest_deleted(struct db_transaction *tx, int64_t manifest_id,
                            const struct event_request *request);
void event_untagged(struct db_transaction *tx, int64_t manifest_id, struct text tag,
                    const struct event_request *request);
void event_repository_deleted(struct db_transaction *tx, int64_t repository_id,
                              const struct event_request *request);

// Removes what is older than that, or beyond the newest `rows`: a batch. How many went.
size_t event_forget(struct db_transaction *tx, int64_t older_than_ms, int64_t rows);
