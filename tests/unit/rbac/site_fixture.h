// One site with one private cluster for the whole program of rbac's tests.
#pragma once
#include "../db/fixture.h"

void site_fixture_start(void);
void site_fixture_stop(void);
