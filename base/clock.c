// Reading the clocks and writing times.
#include "base/clock.h"

#include "base/arena.h"

#include <string.h>
#include <time.h>

static int64_t now(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
    return now(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return now(CLOCK_MONOTONIC);
}

static struct tm calendar(int64_t microseconds)
{
    time_t seconds = (time_t)(microseconds / 1000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return tm;
}

// Digits by hand: times stand in most answers, and printf is many times as slow.
static char *put_digits(char *at, int value, int width)
{
    for (int i = width; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + width;
}

// Year, month, day with `between`; the largest year of a time_t in microseconds has six digits.
static char *put_date(char *at, const struct tm *t, const char *between)
{
    int year = t->tm_year + 1900;
    at = put_digits(at, year, year > 99999 ? 6 : year > 9999 ? 5 : 4);
    at = stpcpy(at, between);
    at = put_digits(at, t->tm_mon + 1, 2);
    at = stpcpy(at, between);
    return put_digits(at, t->tm_mday, 2);
}

static char *put_time(char *at, const struct tm *t, const char *between)
{
    at = put_digits(at, t->tm_hour, 2);
    at = stpcpy(at, between);
    at = put_digits(at, t->tm_min, 2);
    at = stpcpy(at, between);
    return put_digits(at, t->tm_sec, 2);
}

static char *put_both(char *at, const struct tm *t, const char *in_date, const char *in_time)
{
    at = put_date(at, t, in_date);
    *at++ = 'T';
    return put_time(at, t, in_time);
}

static struct text taken(struct arena *arena, const char *from, const char *end)
{
    return (struct text){arena_strndup(arena, from, (size_t)(end - from)), (size_t)(end - from)};
}

struct text clock_iso(struct arena *arena, int64_t microseconds, const char *zone)
{
    struct tm t = calendar(microseconds);
    char out[64], *at = put_both(out, &t, "-", ":");
    int fraction = (int)(microseconds % 1000000);
    if (fraction > 0) {
        *at++ = '.';
        at = put_digits(at, fraction, 6);
        while (at[-1] == '0')
            at--;
    }
    for (size_t i = 0; zone[i] != '\0' && i < 8; i++)
        *at++ = zone[i];
    return taken(arena, out, at);
}

struct text clock_iso7(struct arena *arena, int64_t microseconds)
{
    struct tm t = calendar(microseconds);
    char out[64], *at = put_both(out, &t, "-", ":");
    *at++ = '.';
    at = put_digits(at, (int)(microseconds % 1000000), 6);
    at = stpcpy(at, "0Z");
    return taken(arena, out, at);
}

struct text clock_compact(struct arena *arena, int64_t microseconds)
{
    struct tm t = calendar(microseconds);
    char out[64], *at = put_both(out, &t, "", "");
    *at++ = 'Z';
    return taken(arena, out, at);
}

struct text clock_american(struct arena *arena, int64_t microseconds)
{
    struct tm t = calendar(microseconds);
    int hour = t.tm_hour % 12 == 0 ? 12 : t.tm_hour % 12;
    return text_of(arena_printf(arena, "%d/%d/%04d %d:%02d:%02d %s", t.tm_mon + 1, t.tm_mday,
                                t.tm_year + 1900, hour, t.tm_min, t.tm_sec, t.tm_hour < 12 ? "AM" : "PM"));
}
