// Dates (arm-templates 5.5).
#include "templates/date.h"
#include "templates/function.h"

#define ISO TEXT("yyyy-MM-ddTHH:mm:ssZ")

static const struct value *formatted(struct call *call, int64_t ticks, struct text format)
{
    // A letter becomes at most a name of nine, "g" and "z" six.
    if (!call_spend(call, 4 + format.length / 2, 1200 + format.length * 20))
        return NULL;
    struct buffer out = buffer_new(call->e->arena);
    if (!date_format(&out, ticks, format))
        return call_fail(
            call,
            "The template function '%s' has an invalid parameter. The format '%.*s' is not a valid date "
            "and time format. Please see https://aka.ms/arm-syntax-functions .",
            call->name, SHOWN(format));
    struct text text = buffer_done(&out);
    return call_string(call, text.base ? text : TEXT(""));
}

// The format at this argument, or the usual one; absent after an error.
static struct text format_of(struct call *call, size_t index, struct text usual)
{
    if (index >= call->count)
        return usual;
    const struct value *format = call->arguments[index];
    if (format->kind != VALUE_STRING)
        call_fail(call,
                  "The template function '%s' has an invalid parameter. The format must be of type 'String', "
                  "but it is "
                  "of type '%s'. Please see https://aka.ms/arm-syntax-functions .",
                  call->name, value_kind_name(format->kind));
    return value_text(format).length > 0 || format->kind != VALUE_STRING ? value_text(format) : usual;
}

static bool moment(struct call *call, size_t index, int64_t *ticks)
{
    static const char *const places[] = {"first", "second"};
    const struct value *value = call->arguments[index];
    if (value->kind == VALUE_STRING && date_parse(value->string, ticks))
        return true;
    struct text shown = call_text(call, value);
    if (shown.base)
        call_fail(
            call,
            "The template function '%s' has an invalid parameter. The %s parameter '%.*s' is not a valid "
            "DateTime string. Please see https://aka.ms/arm-syntax-functions .",
            call->name, places[index], SHOWN(shown));
    return false;
}

static const struct value *utc_now(struct call *call)
{
    struct text format = format_of(call, 0, TEXT("yyyyMMddTHHmmssZ"));
    return format.base ? formatted(call, DATE_UNIX + call->e->now * 10, format) : NULL;
}

static const struct value *date_time_add(struct call *call)
{
    const struct value *duration = call->arguments[1];
    int64_t base, ticks;
    if (!moment(call, 0, &base))
        return NULL;
    if (duration->kind != VALUE_STRING || !duration_parse(duration->string, &ticks)) {
        struct text shown = call_text(call, duration);
        return shown.base
                   ? call_fail(call,
                               "The template function 'dateTimeAdd' has an invalid parameter. The second "
                               "parameter '%.*s' is not a valid ISO8601 Duration string. Please see "
                               "https://aka.ms/arm-syntax-functions .",
                               SHOWN(shown))
                   : NULL;
    }
    struct text format = format_of(call, 2, ISO);
    if (!format.base)
        return NULL;
    if (__builtin_add_overflow(base, ticks, &base) || base < 0 || base >= DATE_END)
        return call_fail(
            call, "The template function 'dateTimeAdd' has an invalid parameter. The sum is not a date "
                  "between the years 1 and 9999. Please see https://aka.ms/arm-syntax-functions .");
    return formatted(call, base, format);
}

static const struct value *from_epoch(struct call *call)
{
    const struct value *value = call->arguments[0];
    int64_t ticks;
    if (value->kind != VALUE_INTEGER)
        return call_fail_type(call, "parameter to be of type 'Integer'", value);
    if (__builtin_mul_overflow(value->integer, DATE_SECOND, &ticks) ||
        __builtin_add_overflow(ticks, DATE_UNIX, &ticks) || ticks < 0 || ticks >= DATE_END)
        return call_fail(
            call,
            "The template function 'dateTimeFromEpoch' has an invalid parameter. The value '%lld' is not "
            "a date between the years 1 and 9999. Please see https://aka.ms/arm-syntax-functions .",
            (long long)value->integer);
    return formatted(call, ticks, ISO);
}

static const struct value *to_epoch(struct call *call)
{
    int64_t ticks;
    if (!moment(call, 0, &ticks))
        return NULL;
    // Whole seconds, downwards before 1970 too.
    return call_integer(call, ticks / DATE_SECOND - DATE_UNIX / DATE_SECOND);
}

const struct function functions_date[] = {
    {"dateTimeAdd", 2, 3, ANYWHERE, false, date_time_add, NULL, NULL},
    {"dateTimeFromEpoch", 1, 1, ANYWHERE, false, from_epoch, NULL, NULL},
    {"dateTimeToEpoch", 1, 1, ANYWHERE, false, to_epoch, NULL, NULL},
    {"utcNow", 0, 1, AT_DEFAULT, false, utc_now, NULL, NULL},
    {0},
};
