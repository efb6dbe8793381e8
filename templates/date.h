// Moments and durations of the language: 100 ns since 0001-01-01T00:00:00Z, as .NET counts them
// (arm-templates 5.5).
#pragma once
#include "base/buffer.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define DATE_SECOND INT64_C(10000000)
#define DATE_DAY (INT64_C(86400) * DATE_SECOND)
#define DATE_UNIX (INT64_C(719162) * DATE_DAY) // 1970-01-01
#define DATE_END (INT64_C(3652059) * DATE_DAY) // 10000-01-01: behind the last

struct date {
    int64_t year;
    int month, day, hour, minute, second, weekday; // from 1; Sunday is 0
    int fraction;                                  // 100 ns
};
struct date date_of(int64_t ticks);

// ISO 8601: "2020-04-07T14:53:14.5+02:00", "2020-04-07 14:53:14Z", "2020-04-07", "20200407T145314Z". What
// has no zone is UTC.
bool date_parse(struct text text, int64_t *ticks);
// "[-]PnYnMnDTnHnMnS": a year is 365 days, a month 30.
bool duration_parse(struct text text, int64_t *ticks);
// A standard or custom format of .NET, invariant culture; false when .NET has none such.
bool date_format(struct buffer *out, int64_t ticks, struct text format);
