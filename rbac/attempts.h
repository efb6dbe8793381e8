// Bounded tries: small counters in memory, per process, that forget after a quarter of an hour.
#pragma once
#include "base/text.h"

// Whether `limit` tries of that kind and key were counted within the window.
bool attempts_exhausted(const char *kind, struct text key, unsigned limit);
void attempts_count(const char *kind, struct text key);
// Whether the last call for that key was less than `microseconds` ago.
bool attempts_too_soon(const char *kind, struct text key, int64_t microseconds);
