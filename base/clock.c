// Reading the clocks and writing times.
#include "base/clock.h"

#include "base/arena.h"

#include <stdio.h>
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

struct text clock_iso(struct arena *arena, int64_t microseconds, const char *zone)
{
    struct tm t = calendar(microseconds);
    char fraction[16];
    int n = snprintf(fraction, sizeof fraction, ".%06d", (int)(microseconds % 1000000));
    while (n > 0 && (fraction[n - 1] == '0' || fraction[n - 1] == '.'))
        fraction[--n] = '\0';
    return text_of(arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d%s%s", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                                t.tm_hour, t.tm_min, t.tm_sec, fraction, zone));
}

struct text clock_iso7(struct arena *arena, int64_t microseconds)
{
    struct tm t = calendar(microseconds);
    return text_of(arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%06d0Z", t.tm_year + 1900, t.tm_mon + 1,
                                t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, (int)(microseconds % 1000000)));
}

struct text clock_compact(struct arena *arena, int64_t microseconds)
{
    struct tm t = calendar(microseconds);
    return text_of(arena_printf(arena, "%04d%02d%02dT%02d%02d%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                                t.tm_hour, t.tm_min, t.tm_sec));
}

struct text clock_american(struct arena *arena, int64_t microseconds)
{
    struct tm t = calendar(microseconds);
    int hour = t.tm_hour % 12 == 0 ? 12 : t.tm_hour % 12;
    return text_of(arena_printf(arena, "%d/%d/%04d %d:%02d:%02d %s", t.tm_mon + 1, t.tm_mday, t.tm_year + 1900, hour,
                                t.tm_min, t.tm_sec, t.tm_hour < 12 ? "AM" : "PM"));
}
