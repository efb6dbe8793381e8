// Pushes small blobs as fast as the server lets it: POST, PATCH, PUT over kept TLS connections, one thread
// each. blobs [-i] [-r RATE] [-t FILE] HOST PORT REPOSITORY CONNECTIONS SECONDS SIZE [BEARER]
// -i: whole images, each of a layer of that size, a config and a manifest with a tag, all of them new
// -r: at most that many a second, all connections together
// -t: the registries to push to in turn, a line each: host, blank, bearer. HOST is where to connect then.
// Prints blobs (images) per second. Certificates are not verified: it is a yardstick. Any other answer than
// 202, 202, 201 ends it.
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

enum { HEAD_ROOM = 16384, LOCATION_ROOM = 8192, SIZE_LIMIT = 1 << 20, TARGET_LIMIT = 1000 };
#define OCTETS "application/octet-stream"
#define IMAGE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG "application/vnd.oci.image.config.v1+json"
#define LAYER "application/vnd.oci.image.layer.v1.tar"

struct target {
    char *host, *bearer; // bearer: NULL for none
};
static struct target targets[TARGET_LIMIT];
static size_t target_count;
static const char *host, *port, *repository;
static bool images;
static double rate; // a second; 0: no limit
static size_t blob_size;
static atomic_long pushed, turns;
static atomic_bool over;
static SSL_CTX *tls_context;

struct connection {
    SSL *tls;
    const struct target *target;
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
                    const char *query, const char *type, const void *body, size_t length)
{
    static _Thread_local char out[HEAD_ROOM + SIZE_LIMIT];
    const char *bearer = c->target->bearer;
    int head = snprintf(out, HEAD_ROOM,
                        "%s %s%s HTTP/1.1\r\nHost: %s:%s\r\n%s%s%sContent-Length: %zu\r\n"
                        "Content-Type: %s\r\n\r\n",
                        method, target, query, c->target->host, port, bearer ? "Authorization: Bearer " : "",
                        bearer ? bearer : "", bearer ? "\r\n" : "", length, type);
    if (length > 0)
        memcpy(out + head, body, length);
    if (SSL_write(c->tls, out, head + (int)length) <= 0)
        fail("the connection ended", target);
    if (read_answer(c) != expected)
        fail("unexpected answer", c->head);
}

struct name {
    char digest[80];
};

static struct name name_of(const void *bytes, size_t length)
{
    unsigned char hash[32];
    struct name name = {"sha256:"};
    EVP_Digest(bytes, length, hash, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 32; i++)
        sprintf(name.digest + 7 + 2 * i, "%02x", hash[i]);
    return name;
}

static struct name push_blob(struct connection *c, const void *blob, size_t length)
{
    struct name name = name_of(blob, length);
    char query[128], start[512];
    snprintf(start, sizeof start, "/v2/%s/blobs/uploads/", repository);
    request(c, 202, "POST", start, "", OCTETS, NULL, 0);
    request(c, 202, "PATCH", c->location, "", OCTETS, blob, length);
    snprintf(query, sizeof query, "%cdigest=%s", strchr(c->location, '?') ? '&' : '?', name.digest);
    request(c, 201, "PUT", c->location, query, OCTETS, NULL, 0);
    return name;
}

static void push_image(struct connection *c, const unsigned char *blob)
{
    char config[256], manifest[1024], path[640];
    struct name layer = push_blob(c, blob, blob_size);
    int size = snprintf(config, sizeof config,
                        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
                        "\"diff_ids\":[\"%s\"]}}",
                        layer.digest);
    struct name name = push_blob(c, config, (size_t)size);
    int length =
        snprintf(manifest, sizeof manifest,
                 "{\"schemaVersion\":2,\"mediaType\":\"" IMAGE "\",\"config\":{\"mediaType\":\"" CONFIG
                 "\",\"size\":%d,\"digest\":\"%s\"},\"layers\":[{\"mediaType\":\"" LAYER
                 "\",\"size\":%zu,\"digest\":\"%s\"}]}",
                 size, name.digest, blob_size, layer.digest);
    snprintf(path, sizeof path, "/v2/%s/manifests/t%.16s", repository, layer.digest + 7);
    request(c, 201, "PUT", path, "", IMAGE, manifest, (size_t)length);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// The turn of this push: which registry, and not before its time.
static void await_turn(struct connection *c, double start)
{
    long turn = atomic_fetch_add(&turns, 1);
    c->target = &targets[(size_t)turn % target_count];
    while (rate > 0 && !atomic_load(&over) && now() < start + (double)turn / rate)
        usleep(500);
}

static void *run(void *argument)
{
    const double *start = argument;
    struct connection *c = calloc(1, sizeof *c);
    unsigned char *blob = calloc(1, blob_size);
    c->tls = connect_tls();
    for (await_turn(c, *start); !atomic_load(&over); await_turn(c, *start)) {
        if (RAND_bytes(blob, (int)(blob_size < 64 ? blob_size : 64)) != 1)
            fail("no random bytes", "");
        if (images)
            push_image(c, blob);
        else
            push_blob(c, blob, blob_size);
        atomic_fetch_add(&pushed, 1);
    }
    SSL_free(c->tls);
    free(blob);
    free(c);
    return NULL;
}

static void read_targets(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[8192];
    if (file == NULL)
        fail("cannot read", path);
    while (target_count < TARGET_LIMIT && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *blank = strchr(line, ' ');
        if (blank == NULL)
            fail("not a host and a bearer", line);
        *blank = '\0';
        targets[target_count++] = (struct target){strdup(line), strdup(blank + 1)};
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    const char *usage =
        "blobs [-i] [-r RATE] [-t FILE] HOST PORT REPOSITORY CONNECTIONS SECONDS SIZE [BEARER]";
    for (int option; (option = getopt(argc, argv, "ir:t:")) != -1;)
        if (option == 'i')
            images = true;
        else if (option == 'r')
            rate = atof(optarg);
        else if (option == 't')
            read_targets(optarg);
        else
            fail("usage", usage);
    char **given = argv + optind;
    if (argc - optind < 6)
        fail("usage", usage);
    signal(SIGPIPE, SIG_IGN);
    host = given[0], port = given[1], repository = given[2];
    if (target_count == 0)
        targets[target_count++] = (struct target){given[0], argc - optind > 6 ? given[6] : NULL};
    size_t connections = strtoul(given[3], NULL, 10);
    blob_size = strtoul(given[5], NULL, 10);
    if (connections == 0 || connections > 1024 || blob_size == 0 || blob_size > SIZE_LIMIT)
        fail("bad number", given[3]);
    tls_context = SSL_CTX_new(TLS_client_method());
    pthread_t *threads = calloc(connections, sizeof *threads);
    double start = now();
    for (size_t i = 0; i < connections; i++)
        pthread_create(&threads[i], NULL, run, &start);
    usleep((useconds_t)(atof(given[4]) * 1e6));
    atomic_store(&over, true);
    for (size_t i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    printf("%.2f\n", (double)atomic_load(&pushed) / (now() - start));
    return 0;
}
