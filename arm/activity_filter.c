// $filter of the activity log (arm-core 2.7): terms joined by "and", each property once; values bare or in
// quotes.
#include "arm/activity_row.h"

#include "base/arena.h"

#include <stddef.h>
#include <time.h>

// ---- times

static bool number(struct text t, size_t from, size_t digits, int *value)
{
    if (t.length < from + digits)
        return false;
    *value = 0;
    for (size_t i = from; i < from + digits; i++) {
        if (t.base[i] < '0' || t.base[i] > '9')
            return false;
        *value = *value * 10 + t.base[i] - '0';
    }
    return true;
}

static bool mark(struct text t, size_t at, const char *any)
{
    return at < t.length && strchr(any, t.base[at]) != NULL;
}

// Takes ".1234567" off; microseconds, further digits dropped.
static bool take_fraction(struct text *rest, int64_t *microseconds)
{
    *microseconds = 0;
    if (!mark(*rest, 0, "."))
        return true;
    size_t i = 1;
    int64_t unit = 100000;
    for (; i < rest->length && rest->base[i] >= '0' && rest->base[i] <= '9'; i++, unit /= 10)
        *microseconds += unit * (rest->base[i] - '0');
    if (i == 1)
        return false;
    *rest = text_slice(*rest, i, rest->length);
    return true;
}

// "", "Z", "+02:00", "+0200", and " 02:00", which is a plus that a client did not escape.
static bool take_zone(struct text rest, int64_t *seconds)
{
    int hours, minutes;
    *seconds = 0;
    if (rest.length == 0 || text_is_nocase(rest, "z"))
        return true;
    if (!mark(rest, 0, "+- "))
        return false;
    size_t colon = mark(rest, 3, ":") ? 1 : 0;
    if (rest.length != 5 + colon || !number(rest, 1, 2, &hours) || !number(rest, 3 + colon, 2, &minutes))
        return false;
    *seconds = (int64_t)(hours * 60 + minutes) * 60 * (rest.base[0] == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

bool activity_time_parse(struct text t, int64_t *microseconds)
{
    struct tm tm = {0};
    int64_t fraction = 0, zone = 0;
    if (!number(t, 0, 4, &tm.tm_year) || !mark(t, 4, "-") || !number(t, 5, 2, &tm.tm_mon) ||
        !mark(t, 7, "-") || !number(t, 8, 2, &tm.tm_mday))
        return false;
    struct text rest = text_slice(t, 10, t.length);
    if (rest.length > 0) {
        if (!mark(rest, 0, "Tt ") || !number(rest, 1, 2, &tm.tm_hour) || !mark(rest, 3, ":") ||
            !number(rest, 4, 2, &tm.tm_min))
            return false;
        rest = text_slice(rest, 6, rest.length);
        if (mark(rest, 0, ":")) {
            if (!number(rest, 1, 2, &tm.tm_sec))
                return false;
            rest = text_slice(rest, 3, rest.length);
            if (!take_fraction(&rest, &fraction))
                return false;
        }
        if (!take_zone(rest, &zone))
            return false;
    }
    if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour > 24 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *microseconds = ((int64_t)timegm(&tm) - zone) * 1000000 + fraction;
    return true;
}

// ---- terms

struct reader {
    struct arena *arena;
    struct text rest;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct reader *r)
{
    while (r->rest.length > 0 && blank(r->rest.base[0]))
        r->rest = text_slice(r->rest, 1, r->rest.length);
}

static struct text take_word(struct reader *r)
{
    skip_blanks(r);
    size_t length = 0;
    while (length < r->rest.length && !blank(r->rest.base[length]) && r->rest.base[length] != '\'')
        length++;
    struct text word = text_slice(r->rest, 0, length);
    r->rest = text_slice(r->rest, length, r->rest.length);
    return word;
}

// 'it''s'; behind the quote at the start.
static bool take_quoted(struct reader *r, struct text *value)
{
    struct buffer b = buffer_new(r->arena);
    for (size_t i = 1; i < r->rest.length; i++) {
        char c = r->rest.base[i];
        if (c == '\'' && i + 1 < r->rest.length && r->rest.base[i + 1] == '\'') {
            i++;
        } else if (c == '\'') {
            r->rest = text_slice(r->rest, i + 1, r->rest.length);
            *value = buffer_done(&b);
            return value->base != NULL;
        }
        buffer_char(&b, c);
    }
    return false;
}

// Up to the next " and ": a bare time may have a blank in it.
static struct text take_bare(struct reader *r)
{
    size_t end = r->rest.length;
    for (size_t i = 0; i + 5 <= r->rest.length; i++)
        if (text_is_nocase(text_slice(r->rest, i, i + 5), " and ")) {
            end = i;
            break;
        }
    struct text value = text_trim(text_slice(r->rest, 0, end));
    r->rest = text_slice(r->rest, end, r->rest.length);
    return value;
}

static bool take_value(struct reader *r, struct text *value)
{
    skip_blanks(r);
    if (text_starts_nocase(r->rest, "datetime'"))
        r->rest = text_slice(r->rest, 8, r->rest.length);
    if (r->rest.length > 0 && r->rest.base[0] == '\'')
        return take_quoted(r, value);
    *value = take_bare(r);
    return value->length > 0 && text_find(*value, '\'') < 0;
}

static const struct {
    const char *name;
    size_t offset;
} properties[] = {
    {"resourceGroupName", offsetof(struct activity_filter, group)},
    {"resourceGroup", offsetof(struct activity_filter, group)},
    {"resourceUri", offsetof(struct activity_filter, resource)},
    {"resourceId", offsetof(struct activity_filter, resource)}, // az's word for it
    {"resourceProvider", offsetof(struct activity_filter, provider)},
    {"resourceProviderName", offsetof(struct activity_filter, provider)},
    {"resourceType", offsetof(struct activity_filter, type)},
    {"resourceTypes", offsetof(struct activity_filter, type)},
    {"correlationId", offsetof(struct activity_filter, correlation_id)},
    {"caller", offsetof(struct activity_filter, caller)},
    {"status", offsetof(struct activity_filter, status)},
    {"level", offsetof(struct activity_filter, level)},
    {"levels", offsetof(struct activity_filter, level)},
    {"operationName", offsetof(struct activity_filter, operation_name)},
    {"operations", offsetof(struct activity_filter, operation_name)},
    {"operationId", offsetof(struct activity_filter, operation_id)},
    {"category", offsetof(struct activity_filter, category)},
    {"channels", offsetof(struct activity_filter, channels)},
    {"eventChannels", offsetof(struct activity_filter, channels)},
};

static const char *read_time(struct activity_filter *filter, struct text op, struct text value)
{
    int64_t time;
    if (!activity_time_parse(value, &time))
        return "eventTimestamp takes a date and time";
    bool from = text_is_nocase(op, "ge") || text_is_nocase(op, "gt");
    bool to = text_is_nocase(op, "le") || text_is_nocase(op, "lt");
    if (!from && !to)
        return "eventTimestamp takes ge and le";
    if (from ? filter->has_from : filter->has_to)
        return "eventTimestamp has two bounds on one side";
    if (from) {
        filter->has_from = true;
        filter->from = time + text_is_nocase(op, "gt");
    } else {
        filter->has_to = true;
        filter->to = time - text_is_nocase(op, "lt");
    }
    return NULL;
}

static const char *read_term(struct reader *r, struct activity_filter *filter)
{
    struct text name = take_word(r), op = take_word(r), value;
    if (name.length == 0)
        return "a property is missing";
    if (op.length == 0 || !take_value(r, &value))
        return "an operator and a value are expected behind the property";
    if (text_is_nocase(name, "eventTimestamp"))
        return read_time(filter, op, value);
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        if (!text_is_nocase(name, properties[i].name))
            continue;
        struct text *member = (struct text *)((char *)filter + properties[i].offset);
        if (!text_is_nocase(op, "eq"))
            return "the property takes eq only";
        if (member->base)
            return "a property is given twice";
        *member = value;
        return NULL;
    }
    return "the property is not supported";
}

bool activity_filter_parse(struct arena *arena, struct text expression, struct activity_filter *filter,
                           const char **why)
{
    struct reader r = {arena, text_trim(expression.base ? expression : TEXT(""))};
    *filter = (struct activity_filter){0};
    *why = NULL;
    while (!*why && r.rest.length > 0) {
        *why = read_term(&r, filter);
        skip_blanks(&r);
        if (*why || r.rest.length == 0)
            break;
        if (!text_is_nocase(take_word(&r), "and"))
            *why = "terms are joined by and";
        else if (text_trim(r.rest).length == 0)
            *why = "a term is missing behind and";
    }
    if (!*why && !filter->has_from)
        *why = "a start is required: eventTimestamp ge a date and time";
    return *why == NULL;
}
