// azsacrd health: whether each event loop of the service on this machine answers, for those who watch
// containers.
#include "cli/commands.h"

#include "base/arena.h"
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 4 };

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
                    connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// The first bytes of the answer; short when it ended or did not come in time.
static size_t receive(int fd, char *bytes, size_t wanted)
{
    size_t length = 0;
    while (length < wanted) {
        ssize_t n = recv(fd, bytes + length, wanted - length, 0);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    return length;
}

static const char *fault_of(const struct config *config, int loop, struct arena *arena)
{
    static const char wanted[] = "HTTP/1.1 200";
    char got[sizeof wanted - 1];
    const char *path = arena_printf(arena, "%s/http-%d.sock", config->runtime, loop);
    const char *request =
        arena_printf(arena,
                     "GET /metadata/endpoints?api-version=2015-01-01 HTTP/1.1\r\nHost: %s\r\n"
                     "Connection: close\r\n\r\n",
                     config->host_management);
    int fd = connect_to(path);
    if (fd < 0)
        return arena_printf(arena, "%s: %s", path, strerror(errno));
    bool ok = send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request) &&
              receive(fd, got, sizeof got) == sizeof got && memcmp(got, wanted, sizeof got) == 0;
    close(fd);
    return ok ? NULL : arena_printf(arena, "%s does not answer as it should", path);
}

int command_health(int argc, char **argv)
{
    struct option options[] = {
        {"state", false, "the state directory", NULL},
        {"region", false, "the region's name", NULL},
        {"domain", false, "the domain the hosts stand in", NULL},
        {NULL, false, NULL, NULL},
    };
    if (options_parse("health", NULL, argc, argv, options) != 0)
        return 2;
    struct arena *arena = arena_new();
    const struct config *config =
        configure(arena, options[0].value, NULL, options[1].value, options[2].value);
    int status = config != NULL ? 0 : 2;
    for (int i = 0; config != NULL && status == 0 && i < config->loops; i++) {
        const char *fault = fault_of(config, i, arena);
        if (fault != NULL) {
            fprintf(stderr, "azsacrd health: %s\n", fault);
            status = 1;
        }
    }
    arena_free(arena);
    return status;
}
