// Images made of blobs that exist as rows only, and the recount of what usage must be.
#pragma once
#include "rp/registry_fixture.h"

// Number 1 is "sha256:000…1", of 1000 + number bytes.
void blob_digest(int number, char digest[72]);
void add_blob(const char *repository, int number);
void add_blobs(const char *repository, int first, int last);
// An image of config `first` and layers up to `last`; `salt` makes another manifest of the same blobs.
const char *image(char *body, size_t size, int first, int last, int salt);
const char *image_digest(struct arena *arena, const char *body);
int put(struct client *client, const char *repository, const char *reference, const char *body);
long usage(void);
long recount(void);
// Usage and the repositories' counts are what a recount says.
void check_counts(void);
