// What the routes of manifests, tags, the catalog and /acr/v1 share: references, refusals, paging,
// attributes.
#pragma once
#include "rp/data/call.h"

// A manifest by its digest or by a tag: one of the two is there.
struct reference {
    struct text tag, digest;
};
// False when it has a colon and is no digest. A tag that breaks the grammar is just one that nobody has.
bool reference_parse(struct text text, struct reference *reference);
// The route's {reference}; false after 400 DIGEST_INVALID.
bool reference_read(struct registry_call *call, struct reference *reference);

// The contract's refusals (data-plane.md 2.3).
void fail_disallowed(struct registry_call *call,
                     const char *why); // `why` may be NULL; it stands behind the sentence
// 405 that names what is locked: the repository, the manifest of `digest` or the tag (each absent where it
// has no part; both absent: anything in the repository). On the work lane, under the mutex.
void fail_locked(struct registry_call *call, int64_t repository, struct text digest, struct text tag,
                 bool deletion);
// 405: the repository's own attribute ("readEnabled") is false.
void fail_repository_locked(struct registry_call *call, const char *attribute);
// The sentence for fail_disallowed, in the arena.
const char *locked_because(struct registry_call *call, const char *kind, struct text name,
                           const char *attribute);
void fail_repository_unknown(struct registry_call *call);
void fail_tag_unknown(struct registry_call *call);
void fail_manifest_unknown(struct registry_call *call, const struct reference *reference);
// {"digest":"…"} and the like, for `detail`.
struct text detail_of(struct registry_call *call, const char *key, struct text value);

// The attributes of repository, tag and manifest, as four columns in this order.
#define ATTRIBUTE_COLUMNS(alias)                                                                             \
    alias ".delete_enabled, " alias ".write_enabled, " alias ".read_enabled, " alias ".list_enabled"
struct attributes {
    bool delete_enabled, write_enabled, read_enabled, list_enabled;
};
struct attributes attributes_of(const struct db_result *result, size_t row, size_t column);
void json_attributes(struct buffer *out, struct attributes attributes, bool repository);
// A PATCH body: null where a member is absent. False after 400.
struct attribute_changes {
    struct db_value delete_enabled, write_enabled, read_enabled, list_enabled;
};
bool attribute_changes_read(struct registry_call *call, struct attribute_changes *changes);

// The live repository of the route, for routes that only read; false after 404 NAME_UNKNOWN.
struct repository {
    int64_t id, created_at, updated_at, manifest_count, tag_count;
    struct attributes attributes;
};
bool repository_read(struct registry_call *call, struct repository *repository);

// A timestamptz as microseconds.
#define MICROSECONDS(column) "(extract(epoch from " column ") * 1000000)::bigint"
void json_key_time(struct buffer *out, const char *key, int64_t microseconds);

// Paging: `n`, `last` and, where `ordered`, `orderby` ("", "timedesc", "timeasc").
enum page_order { PAGE_BY_NAME, PAGE_TIME_DESCENDING, PAGE_TIME_ASCENDING, PAGE_ORDERS };
enum { PAGE_LIMIT = 1000 };
struct page {
    int64_t n; // at most PAGE_LIMIT; 0: nothing is asked for
    enum page_order order;
    struct text orderby; // as sent
    struct text last;    // the name (or digest) after which the page begins; absent: at the beginning
    int64_t last_time;   // of that item, where ordered by time
};
bool page_read(struct registry_call *call, bool ordered, struct page *page); // false after 400
// The Link to the next page, which begins after that item. `extra` is further query, "&artifactType=…", or
// NULL.
void page_link(struct registry_call *call, const struct page *page, struct text last, int64_t last_time,
               const char *extra);
// One page of the repository's tags that may be listed, page->n + 1 rows at most; columns of enum tag_column.
enum tag_column { TAG_NAME, TAG_DIGEST, TAG_CREATED, TAG_UPDATED, TAG_ATTRIBUTES };
const struct db_result *tag_page(struct registry_call *call, int64_t repository, const struct page *page,
                                 struct text digest);
// How many rows of the result belong to the page, and whether others follow it.
size_t page_rows(const struct page *page, const struct db_result *result);
bool page_has_more(const struct page *page, const struct db_result *result);

// The part of a statement behind "where …": whose items, keyset, order and limit. `first` is the name,
// `second` the time, `third` how many. All three orders of one list, for a table of statements indexed by
// enum page_order. Each is a range of an index, and a page costs the same wherever it begins: `by_time` says
// whose in the words of the indexes by time (db/migrations/0024_orders_by_time.sql).
#define PAGE_STATEMENTS(name, select, by_name, by_time, key, time, first, second, third)                     \
    {                                                                                                        \
        {name "_by_name", select " and " by_name " and " key " > coalesce(" first "::text, '') and " second  \
                                 "::bigint is not null order by " key " limit " third},                      \
            {name "_time_descending",                                                                        \
             select " and " by_time " and (" time ", " key                                                   \
                    ") < (" PAGE_TIME(first, second, "infinity") ", "                                        \
                                                                 "coalesce(" first ", '')) order by " time   \
                                                                 " desc, " key " desc limit " third},        \
            {name "_time_ascending",                                                                         \
             select " and " by_time " and (" time ", " key                                                   \
                    ") > (" PAGE_TIME(first, second, "-infinity") ", "                                       \
                                                                  "coalesce(" first ", '')) order by " time  \
                                                                  ", " key " limit " third},                 \
    }
#define PAGE_TIME(first, second, beginning)                                                                  \
    "case when " first "::text is null then timestamptz '" beginning "' else timestamptz 'epoch' + " second  \
    "::bigint * interval '1 microsecond' end"
