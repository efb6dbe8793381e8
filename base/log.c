// Writing a log line: formatted whole, then one write(2), so that lines of several threads never mix.
#include "base/log.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int least_level = LOG_LEVEL_INFO;
static _Thread_local const char *about;

void log_about(const char *correlation_id)
{
    about = correlation_id;
}

void log_set_level(enum log_level least)
{
    least_level = least;
}

static void write_whole(struct text line)
{
    while (line.length > 0) {
        ssize_t n = write(STDERR_FILENO, line.base, line.length);
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0)
            line = text_slice(line, (size_t)n, line.length);
    }
}

void log_event(enum log_level level, const char *event, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if ((int)level < least_level)
        return;
    int saved = errno;
    struct arena *arena = arena_new();
    struct buffer line = buffer_new(arena);
    json_begin_object(&line);
    json_key_text(&line, "time", clock_iso(arena, clock_wall(), "Z"));
    json_key_string(&line, "level", names[level]);
    json_key_string(&line, "event", event);
    va_list arguments;
    va_start(arguments, event);
    for (const char *key; (key = va_arg(arguments, const char *)) != NULL;) {
        const char *value = va_arg(arguments, const char *);
        if (value != NULL)
            json_key_string(&line, key, value);
    }
    va_end(arguments);
    if (about != NULL && about[0] != '\0')
        json_key_string(&line, "correlation", about);
    json_end_object(&line);
    buffer_char(&line, '\n');
    write_whole(buffer_done(&line));
    arena_free(arena);
    errno = saved;
}

const char *log_number(int64_t number)
{
    static _Thread_local char ring[8][24];
    static _Thread_local unsigned next;
    char *text = ring[next++ % 8];
    snprintf(text, sizeof ring[0], "%lld", (long long)number);
    return text;
}
