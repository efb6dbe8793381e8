// A site for the tests of rbac/: configuration, master key, and the private cluster that db's tests use too.
#include "site_fixture.h"

#include "base/arena.h"
#include "base/site.h"

#include "../db/fixture.c"

static struct config site_config;
static struct site the_site;

void site_fixture_start(void)
{
    fixture_start();
    const char *why = NULL;
    struct config *loaded = config_load(arena, config.state, "/nonexistent/azsacr.conf", &why);
    if (!loaded)
        die(why);
    site_config = *loaded;
    site_config.tenant_id = "5c2f9d6e-1111-4222-8333-444455556666";
    site_config.audience =
        "https://management.adfs.local.azurestack.external/5c2f9d6e-1111-4222-8333-444455556666";
    the_site.config = &site_config;
    the_site.master_key =
        master_key_load(arena_printf(arena, "%s/master.key", config.state), true, arena, &why);
    if (!the_site.master_key)
        die(why);
    site_set(&the_site);
}

void site_fixture_stop(void)
{
    master_key_free((struct master_key *)(uintptr_t)the_site.master_key);
    fixture_stop();
}
