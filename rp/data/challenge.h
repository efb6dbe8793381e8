// The 401 of the data plane (data-plane.md 1.2).
#pragma once
#include "rp/data/call.h"

// The value of WWW-Authenticate; without a scope for ACCESS_BASE and ACCESS_NONE. `source`: the repository
// that a mount takes from, or absent.
struct text registry_challenge_header(struct arena *arena, struct text login_server,
                                      enum registry_access access, struct text repository, struct text source,
                                      bool insufficient);
// registry_challenge for an access that is not the operation's own.
void registry_challenge_for(struct registry_call *call, enum registry_access access);
// The 401 of the token service, without a challenge.
void registry_unauthorized(struct registry_call *call);
