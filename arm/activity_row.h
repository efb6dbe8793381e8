// What the files of the activity log share among themselves.
#pragma once
#include "arm/activity.h"

// One row of arm.activity, as it is written. Texts that are absent are null.
struct activity_row {
    struct text log_id, operation_id;
    bool ended;
    struct text correlation_id, client_request_id, client_address;
    struct text caller, object_id, app_id;
    bool is_user;
    struct text method, action, scope;
    int status;
    struct text code, message;
    struct text request_body, response_body;
};
// From a call whose answer or failure is known; texts are borrowed or in the call's arena. False when the
// call belongs to no log: no caller, no operation, no subscription of the caller's tenant.
bool activity_row_of(const struct arm_call *call, struct activity_row *row);

// activity_keeper.c: how many days the log goes back, as configured, at least one.
int activity_days(void);

// activity_filter.c: $filter (arm-core 2.7). Absent texts: not asked for. Times are microseconds, inclusive.
struct activity_filter {
    int64_t from, to;
    bool has_from, has_to;
    struct text group, resource, provider, type, correlation_id, caller, status, level, operation_name,
        operation_id, category, channels;
};
// False with *why when it is not of this language or has no start.
bool activity_filter_parse(struct arena *arena, struct text expression, struct activity_filter *filter,
                           const char **why);
// ISO 8601, "T" or a blank between date and time, any number of digits in the fraction, "Z", an offset or
// none.
bool activity_time_parse(struct text t, int64_t *microseconds);

// activity_event.c: one of the two events of a row that was read.
enum activity_event_kind { ACTIVITY_BEGIN, ACTIVITY_END };
struct activity_event {
    enum activity_event_kind kind;
    int64_t time; // microseconds
    int64_t id;   // the row's
    int64_t submitted;
    const struct db_result *rows;
    size_t row;
};
// The columns that an event is made of, from ACTIVITY_COLUMN_FIRST on.
#define ACTIVITY_COLUMNS                                                                                     \
    "s.id, (extract(epoch from s.at) * 1000000)::bigint, "                                                   \
    "(extract(epoch from s.started_at) * 1000000)::bigint, s.ended, s.operation_id, s.correlation_id, "      \
    "s.client_request_id, s.client_address, s.caller, s.object_id, s.app_id, s.is_user, s.method, "          \
    "s.action, s.scope, s.status, s.code, s.message, s.request_body, s.response_body"
enum activity_column {
    ACTIVITY_ID = 3, // three columns about what was looked at stand before
    ACTIVITY_AT,
    ACTIVITY_STARTED,
    ACTIVITY_ENDED,
    ACTIVITY_OPERATION,
    ACTIVITY_CORRELATION,
    ACTIVITY_CLIENT_REQUEST,
    ACTIVITY_ADDRESS,
    ACTIVITY_CALLER,
    ACTIVITY_OBJECT,
    ACTIVITY_APP,
    ACTIVITY_IS_USER,
    ACTIVITY_METHOD,
    ACTIVITY_ACTION,
    ACTIVITY_SCOPE,
    ACTIVITY_STATUS,
    ACTIVITY_CODE,
    ACTIVITY_MESSAGE,
    ACTIVITY_REQUEST_BODY,
    ACTIVITY_RESPONSE_BODY
};
// "Started", "Succeeded", "Accepted", "Failed".
const char *activity_status_of(const struct activity_event *event);
// "Microsoft.ContainerRegistry/registries", from the event's action.
struct text activity_type_of(const struct activity_event *event);
// The group in the event's scope, "" when there is none.
struct text activity_group_of(const struct activity_event *event);
// "Informational", "Error".
const char *activity_level_of(const struct activity_event *event);
// $select: names of an event's members with commas between, in any case; false for a name that is none. As a
// set, 0 for all.
bool activity_select_parse(struct text expression, uint64_t *select);
void activity_write_event(struct buffer *b, const struct arm_call *call, const struct activity_event *event,
                          uint64_t select);
