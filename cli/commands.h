// The sub-commands. Each takes what follows its name and returns the exit status.
#pragma once
#include "base/config.h"

struct arena;

int command_up(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_check(int argc, char **argv);
int command_user(int argc, char **argv);
int command_sp(int argc, char **argv);
int command_subscription(int argc, char **argv);
int command_quota(int argc, char **argv);
int command_recover(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_template(int argc, char **argv);
int command_trust(int argc, char **argv);
int command_edge_config(int argc, char **argv);
int command_health(int argc, char **argv);
int command_cloud_config(int argc, char **argv);

// The configuration with the flags every command shares (NULL where not given); prints what is wrong.
struct config *configure(struct arena *arena, const char *state, const char *port, const char *region,
                         const char *domain);
