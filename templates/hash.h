// The language's hashes (arm-templates 2.1-2.4).
#pragma once
#include "templates/value.h"

// MurmurHash64 with 32-bit lanes and seed 0.
uint64_t murmur64(struct text bytes);
// uniqueString() and guid() of arguments that are joined by '-' already.
struct text hash_unique_string(struct arena *arena, struct text joined); // 13 characters
struct text hash_guid(struct arena *arena, struct text joined);          // UUIDv5, lower case
// The minified and upper-cased template, and the decimal hash of that.
struct text template_minified(struct arena *arena, const struct value *template);
struct text template_hash(struct arena *arena, const struct value *template);
// Upper case as .NET's invariant culture, a character for a character (for toUpper() too; lower likewise).
struct text invariant_upper(struct arena *arena, struct text text);
struct text invariant_lower(struct arena *arena, struct text text);
