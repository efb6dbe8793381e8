// The log: one JSON object a line on standard error. Never a secret, a token or a body.
#pragma once
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_set_level(enum log_level least);

// `event` is a short fixed name ("database.lost"); then pairs of key and value, ended by NULL. A NULL value
// is left out.
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
#define log_debug(...) log_event(LOG_LEVEL_DEBUG, __VA_ARGS__, (char *)0)
#define log_info(...) log_event(LOG_LEVEL_INFO, __VA_ARGS__, (char *)0)
#define log_warning(...) log_event(LOG_LEVEL_WARNING, __VA_ARGS__, (char *)0)
#define log_error(...) log_event(LOG_LEVEL_ERROR, __VA_ARGS__, (char *)0)

// From now on each line that this thread writes names that request, by its correlation id, until another or
// NULL is given. Borrowed as long.
void log_about(const char *correlation_id);

// A number as text in a ring of thread-local buffers, good until eight more calls.
const char *log_number(int64_t number);
