// Events of deletions, and their end; those of a push are written by the statement that ends it
// (manifest_write.c).
#include "rp/data/event.h"

#include "base/arena.h"
#include "rp/data/registry_row.h"

enum { USER_AGENT_LIMIT = 256 };

struct event_request event_request_of(const struct registry_call *call)
{
    struct text agent = http_header(call->request, "user-agent", NULL);
    if (agent.length > USER_AGENT_LIMIT)
        agent.length = USER_AGENT_LIMIT;
    return (struct event_request){
        .request_id = call->request->request_id[0] ? text_of(call->request->request_id) : TEXT_NONE,
        .host = registry_login_server(call->arena, call->registry.login_key),
        .method = text_of(http_method_name(call->request->method)),
        .user_agent = agent.length > 0 && text_is_utf8(agent) ? agent : TEXT_NONE,
    };
}

// $1 to $4 are the request; a deletion's size is 0.
#define DELETED_EVENTS                                                                                       \
    "insert into acr.event (" EVENT_REQUEST_COLUMNS                                                          \
    ", registry_id, action, repository, tag, digest, media_type, size)"                                      \
    " select $1::uuid, $2, $3, $4, m.registry_id, action, p.name, x.tag, m.digest, m.media_type, 0"          \
    " from acr.manifest m join acr.repository p on p.id = m.repository_id"
#define DELETED_ACTIONS " cross join lateral " EVENT_ACTIONS("delete", "m.config_media_type") " action"
static const struct db_statement manifest_deleted = {
    "event_manifest_deleted", DELETED_EVENTS
    " cross join lateral (select null as tag union all"
    "   (select t.name from acr.tag t where t.manifest_id = m.id order by t.name)) x" DELETED_ACTIONS
    " where m.id = $5"};
static const struct db_statement untagged = {"event_untagged", DELETED_EVENTS
                                             " cross join (select $6::text as tag) x" DELETED_ACTIONS
                                             " where m.id = $5"};
static const struct db_statement repository_deleted = {
    "event_repository_deleted", DELETED_EVENTS " cross join (select null::text as tag) x" DELETED_ACTIONS
                                               " where m.repository_id = $5 order by m.digest"};

void event_manifest_deleted(struct db_transaction *tx, int64_t manifest_id,
                            const struct event_request *request)
{
    DB_RUN(tx, &manifest_deleted, EVENT_REQUEST_VALUES(*request), db_int(manifest_id));
}

void event_untagged(struct db_transaction *tx, int64_t manifest_id, struct text tag,
                    const struct event_request *request)
{
    DB_RUN(tx, &untagged, EVENT_REQUEST_VALUES(*request), db_int(manifest_id), db_text(tag));
}

void event_repository_deleted(struct db_transaction *tx, int64_t repository_id,
                              const struct event_request *request)
{
    DB_RUN(tx, &repository_deleted, EVENT_REQUEST_VALUES(*request), db_int(repository_id));
}

// By number, which goes with time but for transactions that ran beside each other: a look at the oldest
// thousand, a number that the planner sees (content_remove.c).
static const struct db_statement forget = {
    "event_forget", "delete from acr.event where number in (select o.number from"
                    " (select number, at from acr.event order by number limit 1000) o"
                    " where o.at < clock_timestamp() - $1::bigint * interval '1 millisecond'"
                    " or o.number <= (select max(number) from acr.event) - $2::bigint)"};

size_t event_forget(struct db_transaction *tx, int64_t older_than_ms, int64_t rows)
{
    return db_affected(DB_RUN(tx, &forget, db_int(older_than_ms), db_int(rows)));
}
