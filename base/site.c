// The process's one site.
#include "base/site.h"

static const struct site *the_site;

void site_set(const struct site *given)
{
    the_site = given;
}

const struct site *site(void)
{
    return the_site;
}
