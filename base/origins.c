// Reading a list of web origins.
#include "base/origins.h"

#include "base/arena.h"
#include "base/setting_list.h"

static bool is_host(struct text host)
{
    for (size_t i = 0; i < host.length; i++) {
        char c = host.base[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (c == '.' && i > 0)))
            return false;
    }
    return host.length > 0 && host.length <= 253;
}

// As the Origin header of a page there has it, or NULL.
static const char *normal(struct arena *arena, struct text origin)
{
    static const struct {
        const char *scheme;
        int64_t port;
    } schemes[] = {{"https://", 443}, {"http://", 80}};
    origin = text_lower(arena, origin);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!text_starts(origin, schemes[i].scheme))
            continue;
        struct text host = text_slice(origin, strlen(schemes[i].scheme), origin.length);
        ptrdiff_t colon = text_find(host, ':');
        int64_t port = schemes[i].port;
        if (colon >= 0) {
            if (!text_to_int64(text_slice(host, (size_t)colon + 1, host.length), &port) || port < 1 ||
                port > 65535)
                return NULL;
            host = text_slice(host, 0, (size_t)colon);
        }
        if (!is_host(host))
            return NULL;
        if (port == schemes[i].port)
            return arena_printf(arena, "%s%.*s", schemes[i].scheme, TEXT_ARG(host));
        return arena_printf(arena, "%s%.*s:%lld", schemes[i].scheme, TEXT_ARG(host), (long long)port);
    }
    return NULL;
}

static const struct setting_list kind = {"origin such as https://portal.example.com:8443", "origins", normal};

const char *const *origins_read(struct arena *arena, const char *list, const char **why)
{
    return setting_list_read(arena, &kind, list, why);
}
