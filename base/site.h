// What the whole process knows of its site: the configuration and the master key, set once at start.
#pragma once
#include "base/config.h"
#include "base/crypto.h"

struct site {
    const struct config *config;
    const struct master_key *master_key;
};
// Set before any thread starts.
void site_set(const struct site *site);
const struct site *site(void);
