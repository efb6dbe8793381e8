// The site's own certificate authority and the edge's certificate, made on first start where none is given.
#pragma once
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;

// Makes `ca.pem` + `ca.key` (when absent) and `edge.pem` + `edge.key` for `names` (DNS names, wildcards
// allowed) in `directory`; an edge certificate that lacks a name or ends within 30 days is made anew. Keys
// are ECDSA P-256, files 0600 for keys. Where `ca.pem` is there without `ca.key`, the operator brings the
// certificate: nothing is made, and one that is expired, lacks a name or does not fit its key is refused.
// False with *why in the arena.
bool certificate_ensure(const char *directory, const char *const *names, size_t count, struct arena *arena,
                        const char **why);
// "AB:CD:…" SHA-256 of the first certificate of a PEM file; empty text when it cannot be read.
struct text certificate_fingerprint(const char *path, struct arena *arena);
