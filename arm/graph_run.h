// Running a query: a page of its result.
#pragma once
#include "arm/graph_source.h"

struct graph_page {
    size_t top, skip;
    struct text token; // of the page before; absent: the first
};
struct graph_result {
    struct graph_row **rows; // cells of the query's schema
    size_t count;
    int64_t total;     // of all pages
    struct text token; // of the next page; absent: this is the last
};
// `fingerprint` tells one request from another: a token is good for its own only. False when the call failed.
bool graph_run(struct graph_source *source, const struct graph_page *page, uint64_t fingerprint,
               struct graph_result *result);
// 400 BadRequest with details InvalidQuery.
void graph_fail_query(struct arm_call *call, const char *code, const char *word, const char *message);
