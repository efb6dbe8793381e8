// A URI in its parts, and a relative one against its base (RFC 3986 3 and 5.2).
#pragma once
#include "templates/function.h"

struct uri_parts { // absent where a part is not there; the path always is
    struct text scheme, authority, path, query, fragment;
};

// False when it holds what no URI does: control characters.
bool uri_split(struct text text, struct uri_parts *parts);
bool uri_is_absolute(const struct uri_parts *parts); // with a scheme and a host
void uri_split_authority(struct text authority, struct text *host, struct text *port);
struct uri_parts uri_resolve(struct arena *arena, const struct uri_parts *base,
                             const struct uri_parts *relative);
// Scheme and host in lower case, without a port that is the scheme's own, blanks escaped.
struct text uri_write(struct arena *arena, struct uri_parts parts);
