// The marked block in the hosts file that `up --hosts` keeps: the fixed hosts, and a line for each registry.
#pragma once
#include "base/config.h"

#include <stdbool.h>

struct hosts;
// Writes the block and follows the registries from a thread of its own.
struct hosts *hosts_start(const struct config *config, const char *path, const char *conninfo);
// Ends the thread and removes the block.
void hosts_stop(struct hosts *hosts);
// Removes the block that a killed process left.
bool hosts_remove(const struct config *config, const char *path);
