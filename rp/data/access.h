// The data plane's door, between its own files: who asks, and how the routes decide.
#pragma once
#include "rp/data/call.h"

// Fills identity.narrowed for call->repository from the token's grants. After every identification.
void registry_narrow(struct registry_call *call);

// Whether the registry takes what `access` changes: a disabled subscription is read-only, its registries too.
// Pulls go on. With the call's snapshot.
bool registry_writable(const struct registry_call *call, enum registry_access access);

enum registry_sign_in {
    SIGN_IN_NONE,    // no credentials were given
    SIGN_IN_OK,      // call->identity is filled
    SIGN_IN_REFUSED, // credentials were given and are no good
    SIGN_IN_WAIT,    // only the work lane can tell (a secret must be read and hashed)
};
// From the Authorization header: Bearer with an access token, or Basic. Never blocks where call->tx is NULL.
enum registry_sign_in registry_sign_in(struct registry_call *call);
// A name and a password: the admin user, a principal, or the null GUID with one of our tokens.
enum registry_sign_in registry_sign_in_password(struct registry_call *call, struct text name,
                                                struct text password);
// The credentials of an Authorization header with that scheme ("Basic", any case); absent when it is
// another's.
struct text registry_scheme_value(struct text authorization, const char *scheme);
// Decodes Basic's base64 at the first colon.
bool registry_basic_decode(struct arena *arena, struct text value, struct text *name, struct text *password);
