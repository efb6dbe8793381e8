// Moments as text: .NET's standard and custom formats in the invariant culture.
#include "templates/date.h"

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

static void put_number(struct buffer *out, int64_t number, size_t width)
{
    char digits[24];
    size_t length = text_put_int64(number, digits);
    for (; length < width; width--)
        buffer_char(out, '0');
    buffer_add(out, digits, length);
}

static void put_name(struct buffer *out, const char *name, bool whole)
{
    buffer_add(out, name, whole ? strlen(name) : 3);
}

// "f" writes so many digits, "F" no zeros at their end (nor the point before them).
static bool put_fraction(struct buffer *out, int fraction, size_t count, bool trim)
{
    enum { DIGITS = 7 };
    char digits[DIGITS + 1];
    if (count > DIGITS)
        return false;
    for (size_t i = DIGITS; i-- > 0; fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    while (trim && count > 0 && digits[count - 1] == '0')
        count--;
    if (trim && count == 0 && out->length > 0 && out->base[out->length - 1] == '.')
        out->length--;
    buffer_add(out, digits, count);
    return true;
}

static void put_year(struct buffer *out, int64_t year, size_t count)
{
    put_number(out, count <= 2 ? year % 100 : year, count);
}

static void put_half(struct buffer *out, int hour, size_t count)
{
    const char *half = hour < 12 ? "AM" : "PM";
    buffer_add(out, half, count == 1 ? 1 : 2);
}

// One run of a letter; false when it is none of a format.
static bool put_run(struct buffer *out, const struct date *d, char letter, size_t count)
{
    size_t two = count == 1 ? 1 : 2;
    switch (letter) {
    case 'y':
        put_year(out, d->year, count);
        return true;
    case 'M':
        if (count <= 2)
            put_number(out, d->month, two);
        else
            put_name(out, months[d->month - 1], count > 3);
        return true;
    case 'd':
        if (count <= 2)
            put_number(out, d->day, two);
        else
            put_name(out, days[d->weekday], count > 3);
        return true;
    case 'h':
        put_number(out, d->hour % 12 == 0 ? 12 : d->hour % 12, two);
        return true;
    case 'H':
        put_number(out, d->hour, two);
        return true;
    case 'm':
        put_number(out, d->minute, two);
        return true;
    case 's':
        put_number(out, d->second, two);
        return true;
    case 'f':
    case 'F':
        return put_fraction(out, d->fraction, count, letter == 'F');
    case 't':
        put_half(out, d->hour, count);
        return true;
    case 'g':
        buffer_string(out, "A.D.");
        return true;
    case 'z':
        buffer_string(out, count == 1 ? "+0" : count == 2 ? "+00" : "+00:00");
        return true;
    case 'K':
        for (size_t i = 0; i < count; i++)
            buffer_char(out, 'Z');
        return true;
    default:
        return false;
    }
}

// Text in quotes; `*at` is behind the opening one, then behind the closing one.
static bool put_quoted(struct buffer *out, struct text format, size_t *at, char quote)
{
    for (; *at < format.length && format.base[*at] != quote; ++*at) {
        if (format.base[*at] == '\\' && ++*at >= format.length)
            return false;
        buffer_char(out, format.base[*at]);
    }
    return (*at)++ < format.length;
}

static bool put_custom(struct buffer *out, const struct date *d, struct text format)
{
    for (size_t at = 0; at < format.length;) {
        char c = format.base[at++];
        if (c == '\'' || c == '"') {
            if (!put_quoted(out, format, &at, c))
                return false;
        } else if (c == '\\') {
            if (at >= format.length)
                return false;
            buffer_char(out, format.base[at++]);
        } else if (c == '%') { // makes a custom format of a single letter
            if (at >= format.length || format.base[at] == '%')
                return false;
        } else if (c && strchr("yMdhHmsfFtgzK", c)) {
            size_t count = 1;
            for (; at < format.length && format.base[at] == c; at++)
                count++;
            if (!put_run(out, d, c, count))
                return false;
        } else {
            buffer_char(out, c);
        }
    }
    return true;
}

static const char *standard(char letter)
{
    static const struct {
        char letter;
        const char *format;
    } formats[] = {
        {'d', "MM/dd/yyyy"},
        {'D', "dddd, dd MMMM yyyy"},
        {'f', "dddd, dd MMMM yyyy HH:mm"},
        {'F', "dddd, dd MMMM yyyy HH:mm:ss"},
        {'g', "MM/dd/yyyy HH:mm"},
        {'G', "MM/dd/yyyy HH:mm:ss"},
        {'m', "MMMM dd"},
        {'M', "MMMM dd"},
        {'o', "yyyy-MM-ddTHH:mm:ss.fffffffK"},
        {'O', "yyyy-MM-ddTHH:mm:ss.fffffffK"},
        {'r', "ddd, dd MMM yyyy HH:mm:ss 'GMT'"},
        {'R', "ddd, dd MMM yyyy HH:mm:ss 'GMT'"},
        {'s', "yyyy-MM-ddTHH:mm:ss"},
        {'t', "HH:mm"},
        {'T', "HH:mm:ss"},
        {'u', "yyyy-MM-dd HH:mm:ss'Z'"},
        {'U', "dddd, dd MMMM yyyy HH:mm:ss"},
        {'y', "yyyy MMMM"},
        {'Y', "yyyy MMMM"},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].letter == letter)
            return formats[i].format;
    return NULL;
}

bool date_format(struct buffer *out, int64_t ticks, struct text format)
{
    struct date date = date_of(ticks);
    if (format.length == 1) {
        const char *custom = standard(format.base[0]);
        return custom && put_custom(out, &date, text_of(custom));
    }
    return put_custom(out, &date, format);
}
