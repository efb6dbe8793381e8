// The list of a scope's deployments (arm-templates 7): the newest first, $filter by provisioningState.
#include "templates/deployment.h"

#include "arm/errors.h"
#include "arm/resource.h"
#include "base/arena.h"

#include <stdio.h>

static const struct db_statement list = {
    "deployment_list", "select " DEPLOYMENT_COLUMNS DEPLOYMENT_FROM
                       "where d.subscription_id = $1::uuid and coalesce(d.group_id, 0) = $2 "
                       "and ($3::text is null or d.state = $3) and (d.changed_at, d.id) < "
                       "(case when $4::bigint is null then 'infinity'::timestamptz else "
                       "'epoch'::timestamptz + $4::bigint * interval '1 microsecond' end, $5::bigint) "
                       "order by d.changed_at desc, d.id desc limit $6"};

// "provisioningState eq 'Failed'", blanks and case as they come. *state is the state as rows have it; one
// that no deployment has finds none.
static bool read_filter(struct arm_call *call, struct text *state)
{
    static const char *const states[] = {"Accepted", "Running", "Succeeded", "Failed", "Canceled"};
    struct text filter = text_trim(http_query(call->request, "$filter"));
    char name[32], operator[8], value[64];
    int end = 0;
    *state = TEXT_NONE;
    if (filter.length == 0)
        return true;
    const char *text = text_cstr(call->arena, filter);
    if (sscanf(text, "%31[A-Za-z] %7[A-Za-z] '%63[^']'%n", name, operator, value, &end) != 3 ||
        (size_t)end != filter.length || !text_is_nocase(text_of(name), "provisioningState") ||
        !text_is_nocase(text_of(operator), "eq")) {
        arm_fail(call, ARM_INVALID_FILTER, TEXT_ARG(filter),
                 "only \"provisioningState eq '<state>'\" is supported");
        return false;
    }
    *state = text_copy(call->arena, text_of(value));
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (text_is_nocase(*state, states[i]))
            *state = text_of(states[i]);
    return true;
}

// A page ends at "MICROSECONDS ID" of its last record.
static bool read_position(struct arm_call *call, struct text token, struct db_value *time, int64_t *id)
{
    long long t = 0, i = 0;
    char rest;
    *time = db_null();
    *id = INT64_MAX;
    if (!token.base)
        return true;
    if (sscanf(text_cstr(call->arena, token), "%lld %lld%c", &t, &i, &rest) != 2 || t < 0 ||
        t > INT64_C(99) << 51 || i < 0) {
        arm_fail(call, ARM_INVALID_SKIP_TOKEN);
        return false;
    }
    *time = db_int(t);
    *id = i;
    return true;
}

void deployment_list(struct arm_call *call)
{
    size_t top;
    struct text token, state;
    struct db_value time;
    int64_t id;
    if (!arm_page_of_query(call, &top, &token) || !read_filter(call, &state) ||
        !read_position(call, token, &time, &id))
        return;
    const struct db_result *rows =
        DB_RUN(call->tx, &list, db_text(call->subscription_id), db_int(call->group_id), db_text(state), time,
               db_int(id), db_int((int64_t)top));
    struct buffer b = buffer_new(call->arena);
    struct deployment d = {0};
    json_begin_object(&b);
    json_key(&b, "value");
    json_begin_array(&b);
    for (size_t i = 0; i < db_rows(rows); i++) {
        deployment_read(rows, i, &d);
        deployment_write(&b, call->arena, call->api_version, &d, TEXT_NONE);
    }
    json_end_array(&b);
    if (db_rows(rows) == top)
        json_key_string(&b, "nextLink",
                        arm_next_link(call, text_of(arena_printf(call->arena, "%lld %lld",
                                                                 (long long)d.changed_at, (long long)d.id))));
    json_end_object(&b);
    arm_reply(call, 200, buffer_done(&b));
}
