// Who may look at what describes a subscription as a whole: itself, its locations, its providers. az and the
// SDKs ask for these whatever they do, so whoever has any right inside may.
#pragma once
#include "arm/call.h"

bool subscription_visible(const struct arm_call *call, struct text subscription_id);
// False after 403 about `action`.
bool subscription_look(struct arm_call *call, const char *action);
