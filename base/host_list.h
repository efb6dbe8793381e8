// Hosts that the operator lists ("templates.example.com, 10.0.0.5:8443").
#pragma once
#include "base/text.h"

struct arena;

// A list between commas or blanks of host names or IPv4 addresses, each with a port or without (443). In the
// arena: lower case, "host:port", NULL-ended; NULL with *why at the first that is none.
const char *const *host_list_read(struct arena *arena, const char *list, const char **why);
// Whether `host` (any case) and `port` are listed.
bool host_list_has(const char *const *hosts, struct text host, int port);
// Whether the host is listed with any port.
bool host_list_names(const char *const *hosts, struct text host);
