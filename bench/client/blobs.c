// Pushes small blobs as fast as the server lets it: POST, PATCH, PUT over kept TLS connections, one thread
// each. blobs HOST PORT REPOSITORY CONNECTIONS SECONDS SIZE [BEARER]   (certificates are not verified: it is
// a yardstick) Prints blobs per second. Any other answer than 202, 202, 201 ends it.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_ROOM = 16384, LOCATION_ROOM = 8192, SIZE_LIMIT = 1 << 20 };

static const char *host, *port, *repository, *bearer;
static size_t blob_size;
static atomic_long pushed;
static atomic_bool over;
static SSL_CTX *tls_context;

struct connection {
    SSL *tls;
    char head[HEAD_ROOM], location[LOCATION_ROOM];
};

static void fail(const char *what, const char *more)
{
    fprintf(stderr, "blobs: %s: %s\n", what, more);
    exit(1);
}

static SSL *connect_tls(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        fail("unknown host", host);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        fail("cannot connect", host);
    freeaddrinfo(found);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *tls = SSL_new(tls_context);
    SSL_set_tlsext_host_name(tls, host);
    SSL_set_fd(tls, fd);
    if (SSL_connect(tls) != 1)
        fail("no TLS", host);
    return tls;
}

// Reads one answer with its body; the status. Location, when there is one, is kept without scheme and host.
static int read_answer(struct connection *c)
{
    size_t have = 0;
    char *end = NULL;
    while (end == NULL) {
        int n = SSL_read(c->tls, c->head + have, (int)(sizeof c->head - 1 - have));
        if (n <= 0)
            fail("the connection ended", c->location);
        have += (size_t)n;
        c->head[have] = '\0';
        end = strstr(c->head, "\r\n\r\n");
    }
    size_t length = 0, head_length = (size_t)(end - c->head) + 4;
    for (char *line = strstr(c->head, "\r\n"); line != NULL && line < end; line = strstr(line + 2, "\r\n")) {
        char *field = line + 2;
        if (strncasecmp(field, "content-length:", 15) == 0)
            length = strtoul(field + 15, NULL, 10);
        if (strncasecmp(field, "location:", 9) != 0)
            continue;
        field += 9 + strspn(field + 9, " ");
        char *scheme = strstr(field, "://");
        if (scheme != NULL && scheme < strstr(field, "\r\n"))
            field = strchr(scheme + 3, '/');
        snprintf(c->location, sizeof c->location, "%.*s", (int)strcspn(field, "\r\n"), field);
    }
    int status = atoi(c->head + 9);
    if (status >= 300)
        fail("refused", c->head);
    for (size_t left = head_length + length > have ? head_length + length - have : 0; left > 0;) {
        char body[4096];
        int n = SSL_read(c->tls, body, (int)(left < sizeof body ? left : sizeof body));
        if (n <= 0)
            fail("the connection ended", "in a body");
        left -= (size_t)n;
    }
    return status;
}

static void request(struct connection *c, int expected, const char *method, const char *target,
                    const char *query, const unsigned char *body, size_t length)
{
    static _Thread_local char out[HEAD_ROOM + SIZE_LIMIT];
    int head = snprintf(out, HEAD_ROOM,
                        "%s %s%s HTTP/1.1\r\nHost: %s:%s\r\n%s%s%sContent-Length: %zu\r\n"
                        "Content-Type: application/octet-stream\r\n\r\n",
                        method, target, query, host, port, bearer ? "Authorization: Bearer " : "",
                        bearer ? bearer : "", bearer ? "\r\n" : "", length);
    if (length > 0)
        memcpy(out + head, body, length);
    if (SSL_write(c->tls, out, head + (int)length) <= 0)
        fail("the connection ended", target);
    if (read_answer(c) != expected)
        fail("unexpected answer", c->head);
}

static void push(struct connection *c, unsigned char *blob)
{
    unsigned char hash[32];
    char query[128], start[512], *at = query;
    if (RAND_bytes(blob, (int)(blob_size < 64 ? blob_size : 64)) != 1)
        fail("no random bytes", "");
    EVP_Digest(blob, blob_size, hash, NULL, EVP_sha256(), NULL);
    snprintf(start, sizeof start, "/v2/%s/blobs/uploads/", repository);
    request(c, 202, "POST", start, "", NULL, 0);
    request(c, 202, "PATCH", c->location, "", blob, blob_size);
    at += sprintf(at, "%cdigest=sha256:", strchr(c->location, '?') ? '&' : '?');
    for (int i = 0; i < 32; i++)
        at += sprintf(at, "%02x", hash[i]);
    request(c, 201, "PUT", c->location, query, NULL, 0);
}

static void *run(void *argument)
{
    (void)argument;
    struct connection *c = calloc(1, sizeof *c);
    unsigned char *blob = calloc(1, blob_size);
    c->tls = connect_tls();
    while (!atomic_load(&over)) {
        push(c, blob);
        atomic_fetch_add(&pushed, 1);
    }
    SSL_free(c->tls);
    free(blob);
    free(c);
    return NULL;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 7)
        fail("usage", "blobs HOST PORT REPOSITORY CONNECTIONS SECONDS SIZE [BEARER]");
    signal(SIGPIPE, SIG_IGN);
    host = argv[1], port = argv[2], repository = argv[3], bearer = argc > 7 ? argv[7] : NULL;
    size_t connections = strtoul(argv[4], NULL, 10);
    blob_size = strtoul(argv[6], NULL, 10);
    if (connections == 0 || connections > 1024 || blob_size == 0 || blob_size > SIZE_LIMIT)
        fail("bad number", argv[4]);
    tls_context = SSL_CTX_new(TLS_client_method());
    pthread_t *threads = calloc(connections, sizeof *threads);
    double start = now();
    for (size_t i = 0; i < connections; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    usleep((useconds_t)(atof(argv[5]) * 1e6));
    atomic_store(&over, true);
    for (size_t i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    printf("%.2f\n", (double)atomic_load(&pushed) / (now() - start));
    return 0;
}
