// Registry tokens: HS256 under a key of ours, made and checked by hand (decisions 35). They name a principal
// or the admin user, the stamp of the secret behind them, and the row of one registry; every request is
// decided anew for whom they name.
#pragma once
#include "rp/data/call.h"

enum registry_token_kind { TOKEN_REFRESH = 1, TOKEN_ACCESS = 2 };
enum { REFRESH_TOKEN_SECONDS = 10800, ACCESS_TOKEN_SECONDS = 3600 };

// A token for call->identity at call->registry, signed with the newest key; `grants` are an access token's
// only. Absent when the snapshot has no key that signs.
struct text registry_token_mint(const struct registry_call *call, enum registry_token_kind kind,
                                const struct registry_grant *grants, size_t grant_count);
// How many seconds such a token is good for. An access token may be shown for another (data-plane.md 1.4),
// which then ends with it: else whoever holds one could renew it for ever.
int64_t registry_token_seconds(const struct registry_call *call, enum registry_token_kind kind);
// Whether `token` is one of ours, of a kind in `kinds` (or'ed), for this host and this very row, in its time,
// and the secret behind it still stands. Fills call->identity and *kind (may be NULL) when it is; else leaves
// both.
bool registry_token_verify(struct registry_call *call, struct text token, unsigned kinds,
                           enum registry_token_kind *kind);

// The access that an action word of a scope means for that type of resource, or 0: ("repository", "pull").
unsigned registry_access_of_action(struct text type, struct text name, struct text action);
