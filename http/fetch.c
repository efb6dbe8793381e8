// The fence round libcurl.
#include "http/fetch.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/host_list.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    REDIRECTIONS = 3,
    CONNECT_MS = 5000,
    HEADERS = 64 * 1024,
    AUTHORITIES = 1024 * 1024, // bytes of PEM
    URL = 16 * 1024,
};

struct exchange {
    const struct fetch *fetch;
    struct arena *arena;
    struct buffer body;
    size_t headers;
    bool too_large, refused_address;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        fputs("azsacrd: libcurl cannot be started\n", stderr);
        abort();
    }
}

// ---- addresses

// This machine, its link, or no single host: what nobody means who lists a name.
static bool is_close(uint32_t address)
{
    return address >> 24 == 0 || address >> 24 == 127 || address >> 16 == 0xa9fe || address >> 28 >= 14;
}

static bool is_close_v6(const struct in6_addr *a)
{
    return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LINKLOCAL(a) ||
           IN6_IS_ADDR_MULTICAST(a);
}

// A name may lead anywhere: such an address counts only where it is listed itself.
static bool address_allowed(const struct exchange *x, const struct sockaddr *address)
{
    char written[INET6_ADDRSTRLEN] = "";
    uint32_t v4 = 0;
    if (address->sa_family == AF_INET) {
        v4 = ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (!IN6_IS_ADDR_V4MAPPED(v6))
            return !is_close_v6(v6);
        memcpy(&v4, v6->s6_addr + 12, sizeof v4);
        v4 = ntohl(v4);
    } else {
        return false;
    }
    if (!is_close(v4))
        return true;
    struct in_addr plain = {htonl(v4)};
    inet_ntop(AF_INET, &plain, written, sizeof written);
    return host_list_names(x->fetch->hosts, text_of(written));
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *x = context;
    (void)purpose;
    if (!address_allowed(x, &address->addr)) {
        x->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// ---- what comes

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    size_t length = size * count;
    if (x->body.length + length > x->fetch->limit) {
        x->too_large = true;
        return 0;
    }
    buffer_add(&x->body, bytes, length);
    return length;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    (void)bytes;
    x->headers += size * count;
    return x->headers > HEADERS ? 0 : size * count;
}

// ---- whom to ask

// NULL, or why that host is not asked. *shown: "host" as messages name it.
static const char *check_url(struct exchange *x, const char *url, const char **shown)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
    int64_t number = 0;
    const char *why = "the address is none";
    CURLU *parts = curl_url();
    if (parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        struct text name = text_lower(x->arena, text_of(host));
        *shown = text_cstr(x->arena, name);
        if (strcmp(scheme, "https") != 0)
            why = "only https is fetched";
        else if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
            why = "an address with a user's name is not fetched";
        else if (curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
                 !text_to_int64(text_of(port), &number) || !host_list_has(x->fetch->hosts, name, (int)number))
            why = arena_printf(x->arena, "the host '%s' is not among those that this site fetches from",
                               *shown);
        else
            why = NULL;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    curl_url_cleanup(parts);
    return why;
}

// ---- asking

static void add_file(struct buffer *b, const char *path)
{
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t length;
    while (file && b->length < AUTHORITIES && (length = fread(piece, 1, sizeof piece, file)) > 0)
        buffer_add(b, piece, length);
    buffer_char(b, '\n');
    if (file)
        fclose(file);
}

static void configure(CURL *curl, struct exchange *x, struct curl_blob *authorities)
{
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); // none, whatever the environment says
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)x->fetch->limit);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "azsacr/" AZSACR_VERSION);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(curl, CURLOPT_CAPATH, "/etc/ssl/certs");
    if (authorities->len > 1)
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, authorities);
}

static const char *worded(const struct exchange *x, CURLcode code, const char *host)
{
    const char *what = "cannot be reached";
    if (x->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return arena_printf(x->arena, "the answer of the host '%s' is longer than %zu bytes", host,
                            x->fetch->limit);
    if (x->refused_address)
        what = "leads to an address of this machine or of its link";
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        what = "is not known";
    else if (code == CURLE_OPERATION_TIMEDOUT)
        what = "did not answer in time";
    else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR)
        what = "has no certificate that this site trusts";
    return arena_printf(x->arena, "the host '%s' %s", host, what);
}

// One request. NULL with *next set where the host sends to another address.
static const char *ask(CURL *curl, struct exchange *x, const char *url, const char **next)
{
    const char *host = "", *why = check_url(x, url, &host);
    int64_t left = (x->fetch->deadline - clock_monotonic()) / 1000;
    long status = 0;
    char *redirection = NULL;
    *next = NULL;
    if (why)
        return why;
    if (left < 1)
        return worded(x, CURLE_OPERATION_TIMEDOUT, host);
    x->body = buffer_new(x->arena);
    x->headers = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        return worded(x, code, host);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirection);
    if (status >= 300 && status < 400 && redirection)
        *next = arena_strdup(x->arena, redirection);
    else if (status != 200)
        return arena_printf(x->arena, "the host '%s' answered with status %ld", host, status);
    return NULL;
}

const char *fetch_get(struct arena *arena, const struct fetch *fetch, struct text url, struct text *body)
{
    struct exchange x = {.fetch = fetch, .arena = arena};
    struct buffer authorities = buffer_new(arena);
    const char *next = text_cstr(arena, url), *why = NULL;
    pthread_once(&once, start);
    if (url.length > URL)
        return "the address is too long";
    for (size_t i = 0; fetch->authorities && fetch->authorities[i]; i++)
        add_file(&authorities, fetch->authorities[i]);
    struct curl_blob blob = {authorities.base, authorities.length, CURL_BLOB_NOCOPY};
    CURL *curl = curl_easy_init();
    if (!curl)
        return "libcurl has no memory";
    configure(curl, &x, &blob);
    for (int i = 0; next && !why; i++)
        why = i > REDIRECTIONS ? "the host sends from one address to the next" : ask(curl, &x, next, &next);
    curl_easy_cleanup(curl);
    *body = buffer_done(&x.body);
    return why;
}
