// The edge's configuration: deploy/edge.conf.in, filled for this site.
#pragma once
#include "base/config.h"

#include <stdbool.h>

struct arena;
// The text of nginx's configuration; the access log goes to that file.
struct text edge_render(const struct config *config, const char *access_log, struct arena *arena);
// Writes it to RUN/edge.conf and makes the directories it names.
bool edge_write(const struct config *config, struct arena *arena, const char **why);
// nginx's command line, NULL-ended.
const char *const *edge_command(const struct config *config, struct arena *arena);
// The group that the edge's workers run as, which may connect to our sockets and read blob files: that of
// www-data when we may give files to it (as root or as a member), else -1.
int edge_group(void);
