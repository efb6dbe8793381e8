// Reading moments and durations.
#include "templates/date.h"

// Days since 0001-01-01 of a date of the Gregorian calendar.
static int64_t days_of(int64_t year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = year - 1;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return y * 365 + y / 4 - y / 100 + y / 400 + before[month - 1] + (leap && month > 2) + day - 1;
}

static int days_in_month(int64_t year, int month)
{
    if (month == 12)
        return 31;
    return (int)(days_of(year, month + 1, 1) - days_of(year, month, 1));
}

struct date date_of(int64_t ticks)
{
    int64_t days = ticks / DATE_DAY, time = ticks % DATE_DAY;
    int64_t year = days / 366 + 1;
    while (days_of(year + 1, 1, 1) <= days)
        year++;
    int month = 1;
    while (month < 12 && days_of(year, month + 1, 1) <= days)
        month++;
    int seconds = (int)(time / DATE_SECOND);
    return (struct date){
        .year = year,
        .month = month,
        .day = (int)(days - days_of(year, month, 1)) + 1,
        .hour = seconds / 3600,
        .minute = seconds / 60 % 60,
        .second = seconds % 60,
        .weekday = (int)((days + 1) % 7),
        .fraction = (int)(time % DATE_SECOND),
    };
}

// ---- reading digits

struct cursor {
    struct text text;
    size_t at;
};

static bool is_digit(const struct cursor *c)
{
    return c->at < c->text.length && c->text.base[c->at] >= '0' && c->text.base[c->at] <= '9';
}

static bool take(struct cursor *c, char sign)
{
    bool there = c->at < c->text.length && c->text.base[c->at] == sign;
    c->at += there;
    return there;
}

// Exactly `digits` of them.
static bool take_number(struct cursor *c, int digits, int *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++, c->at++) {
        if (!is_digit(c))
            return false;
        *number = *number * 10 + (c->text.base[c->at] - '0');
    }
    return true;
}

// Digits behind the point, as 100 ns; what is finer is cut.
static bool take_fraction(struct cursor *c, int *fraction)
{
    int scale = (int)DATE_SECOND / 10;
    *fraction = 0;
    if (!is_digit(c))
        return false;
    for (; is_digit(c); c->at++, scale /= 10)
        *fraction += (c->text.base[c->at] - '0') * scale;
    return true;
}

// ---- moments

// "Z", "+02:00", "+0200", "+02" or nothing; in minutes.
static bool take_zone(struct cursor *c, int *offset)
{
    int hours, minutes = 0;
    *offset = 0;
    if (c->at == c->text.length || take(c, 'Z') || take(c, 'z'))
        return true;
    bool west = take(c, '-');
    if ((!west && !take(c, '+')) || !take_number(c, 2, &hours))
        return false;
    bool colon = take(c, ':');
    if ((colon || is_digit(c)) && !take_number(c, 2, &minutes))
        return false;
    *offset = (hours * 60 + minutes) * (west ? -1 : 1);
    return hours <= 14 && minutes < 60;
}

// "T14:53:14.5", "T145314", " 14:53"; `basic`: without colons.
static bool take_time(struct cursor *c, bool basic, struct date *date)
{
    if (!take(c, 'T') && !take(c, 't') && !take(c, ' '))
        return false;
    if (!take_number(c, 2, &date->hour) || (!basic && !take(c, ':')) || !take_number(c, 2, &date->minute))
        return false;
    if (basic ? is_digit(c) : take(c, ':')) {
        if (!take_number(c, 2, &date->second))
            return false;
        if ((take(c, '.') || take(c, ',')) && !take_fraction(c, &date->fraction))
            return false;
    }
    return date->hour < 24 && date->minute < 60 && date->second < 60;
}

bool date_parse(struct text text, int64_t *ticks)
{
    struct cursor c = {text_trim(text), 0};
    struct date date = {0};
    int year, offset = 0;
    if (!take_number(&c, 4, &year))
        return false;
    bool basic = !take(&c, '-');
    if (!take_number(&c, 2, &date.month) || (!basic && !take(&c, '-')) || !take_number(&c, 2, &date.day))
        return false;
    if (year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > days_in_month(year, date.month))
        return false;
    if (c.at < c.text.length && (!take_time(&c, basic, &date) || !take_zone(&c, &offset)))
        return false;
    int64_t seconds = date.hour * 3600 + (date.minute - offset) * 60 + date.second;
    *ticks = days_of(year, date.month, date.day) * DATE_DAY + seconds * DATE_SECOND + date.fraction;
    return c.at == c.text.length && *ticks >= 0 && *ticks < DATE_END;
}

// ---- durations

// A number of at most nine digits, with a fraction where it is one of seconds.
static bool take_amount(struct cursor *c, int64_t *whole, int *fraction, bool *has_fraction)
{
    size_t from = c->at;
    *whole = 0;
    *fraction = 0;
    for (; is_digit(c) && c->at - from < 10; c->at++)
        *whole = *whole * 10 + (c->text.base[c->at] - '0');
    *has_fraction = c->at > from && take(c, '.');
    return c->at > from && c->at - from < 11 && (!*has_fraction || take_fraction(c, fraction));
}

bool duration_parse(struct text text, int64_t *ticks)
{
    // In the order in which they may stand; a "T" before the hours.
    static const struct {
        char letter;
        bool time;
        int64_t seconds;
    } units[] = {{'Y', false, 365 * 86400}, {'M', false, 30 * 86400}, {'D', false, 86400},
                 {'H', true, 3600},         {'M', true, 60},          {'S', true, 1}};
    enum { UNITS = sizeof units / sizeof *units };
    struct cursor c = {text_trim(text), 0};
    bool negative = take(&c, '-'), time = false, any = false;
    size_t next = 0;
    int64_t total = 0, amount;
    if (!take(&c, 'P'))
        return false;
    while (c.at < c.text.length) {
        int fraction;
        bool has_fraction;
        if (!time && take(&c, 'T')) {
            time = true;
            any = false;
            continue;
        }
        if (!take_amount(&c, &amount, &fraction, &has_fraction) || c.at >= c.text.length)
            return false;
        while (next < UNITS && (units[next].time != time || units[next].letter != c.text.base[c.at]))
            next++;
        if (next == UNITS || (has_fraction && next != UNITS - 1) ||
            __builtin_mul_overflow(amount, units[next].seconds * DATE_SECOND, &amount) ||
            __builtin_add_overflow(total, amount + fraction, &total))
            return false;
        next++;
        c.at++;
        any = true;
    }
    *ticks = negative ? -total : total;
    return any;
}
