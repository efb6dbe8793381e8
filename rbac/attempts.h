// Bounded tries: small counters in memory, per process, that forget after a quarter of an hour.
#pragma once
#include "base/text.h"

struct arena;

// Whether `limit` tries of that kind and key were counted within the window.
bool attempts_exhausted(const char *kind, struct text key, unsigned limit);
void attempts_count(const char *kind, struct text key);
// Wrong passwords for one name from one address, wherever a password is taken. Not for the name alone: else
// anybody could lock anybody out.
bool attempts_password_exhausted(struct arena *arena, struct text name, struct text address);
void attempts_password_count(struct arena *arena, struct text name, struct text address);
// Whether the last call for that key was less than `microseconds` ago.
bool attempts_too_soon(const char *kind, struct text key, int64_t microseconds);
