// Reading a list of hosts, and looking one up.
#include "base/host_list.h"

#include "base/arena.h"
#include "base/setting_list.h"

enum { HTTPS = 443 };

static bool is_host(struct text host)
{
    for (size_t i = 0; i < host.length; i++) {
        char c = host.base[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && (c == '-' || c == '.'))))
            return false;
    }
    return host.length > 0 && host.length <= 253;
}

static const char *normal(struct arena *arena, struct text entry)
{
    int64_t port = HTTPS;
    struct text host = text_lower(arena, entry);
    ptrdiff_t colon = text_find(host, ':');
    if (colon >= 0) {
        if (!text_to_int64(text_slice(host, (size_t)colon + 1, host.length), &port) || port < 1 ||
            port > 65535)
            return NULL;
        host = text_slice(host, 0, (size_t)colon);
    }
    return is_host(host) ? arena_printf(arena, "%.*s:%lld", TEXT_ARG(host), (long long)port) : NULL;
}

static const struct setting_list kind = {"host such as templates.example.com:8443", "hosts", normal};

const char *const *host_list_read(struct arena *arena, const char *list, const char **why)
{
    return setting_list_read(arena, &kind, list, why);
}

static bool is_of(const char *entry, struct text host, int64_t *port)
{
    struct text all = text_of(entry);
    ptrdiff_t colon = text_rfind(all, ':');
    return text_to_int64(text_slice(all, (size_t)colon + 1, all.length), port) &&
           text_equal_nocase(text_slice(all, 0, (size_t)colon), host);
}

bool host_list_has(const char *const *hosts, struct text host, int port)
{
    int64_t listed;
    for (size_t i = 0; hosts && hosts[i]; i++)
        if (is_of(hosts[i], host, &listed) && listed == port)
            return true;
    return false;
}

bool host_list_names(const char *const *hosts, struct text host)
{
    int64_t listed;
    for (size_t i = 0; hosts && hosts[i]; i++)
        if (is_of(hosts[i], host, &listed))
            return true;
    return false;
}
