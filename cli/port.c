// Trying the edge's port before anything starts: a supervisor that is answered by somebody else's listener
// would call its own edge ready.
#include "cli/port.h"

#include "base/arena.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENING = 0x0a }; // TCP_LISTEN, as /proc/net/tcp writes it

// The inode of a socket that listens on the port; 0: none is shown there.
static unsigned long listener_in(const char *table, unsigned port)
{
    char line[512];
    unsigned long found = 0;
    FILE *file = fopen(table, "re");
    while (file != NULL && found == 0 && fgets(line, sizeof line, file) != NULL) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu", &local,
                   &state, &inode) == 3 &&
            local == port && state == LISTENING)
            found = inode;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static bool holds(const char *pid, const char *socket, struct arena *arena)
{
    const char *directory = arena_printf(arena, "/proc/%s/fd", pid);
    DIR *fds = opendir(directory);
    bool found = false;
    for (const struct dirent *e; fds != NULL && !found && (e = readdir(fds)) != NULL;) {
        char target[64];
        ssize_t n = readlink(arena_printf(arena, "%s/%s", directory, e->d_name), target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found = strcmp(target, socket) == 0;
    }
    if (fds != NULL)
        closedir(fds);
    return found;
}

static const char *program_of(const char *pid, struct arena *arena)
{
    char name[64] = "";
    FILE *file = fopen(arena_printf(arena, "/proc/%s/comm", pid), "re");
    if (file != NULL && fgets(name, sizeof name, file) == NULL)
        name[0] = '\0';
    if (file != NULL)
        fclose(file);
    name[strcspn(name, "\n")] = '\0';
    return arena_strdup(arena, name[0] != '\0' ? name : "a program");
}

// "nginx (process 812)": of several that share the socket, the one with the lowest pid, which is the master.
static const char *holder(unsigned port, struct arena *arena)
{
    unsigned long inode = listener_in("/proc/net/tcp", port);
    if (inode == 0)
        inode = listener_in("/proc/net/tcp6", port);
    const char *socket = arena_printf(arena, "socket:[%lu]", inode);
    long lowest = 0;
    DIR *processes = inode != 0 ? opendir("/proc") : NULL;
    for (const struct dirent *e; processes != NULL && (e = readdir(processes)) != NULL;) {
        if (!isdigit((unsigned char)e->d_name[0]) || !holds(e->d_name, socket, arena))
            continue;
        long pid = strtol(e->d_name, NULL, 10);
        if (lowest == 0 || pid < lowest)
            lowest = pid;
    }
    if (processes != NULL)
        closedir(processes);
    if (lowest == 0)
        return "another program";
    const char *pid = arena_printf(arena, "%ld", lowest);
    return arena_printf(arena, "%s (process %s)", program_of(pid, arena), pid);
}

static bool binds(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno == EAFNOSUPPORT; // the edge does not listen there either
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    bool ok = bind(fd, address->ai_addr, address->ai_addrlen) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

// "[::1]" as nginx wants it, "::1" as the resolver does.
static const char *bare(const char *listen, struct arena *arena)
{
    size_t length = listen != NULL ? strlen(listen) : 0;
    if (length > 2 && listen[0] == '[' && listen[length - 1] == ']')
        return arena_strndup(arena, listen + 1, length - 2);
    return listen;
}

bool port_is_free(const struct config *config, struct arena *arena, const char **why)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    const char *port = arena_printf(arena, "%d", config->port);
    int unknown = getaddrinfo(bare(config->listen, arena), port, &hints, &found);
    if (unknown != 0) {
        *why = arena_printf(arena, "the address `listen` = %s: %s", config->listen ? config->listen : "(any)",
                            gai_strerror(unknown));
        return false;
    }
    int error = 0;
    for (const struct addrinfo *a = found; a != NULL && error == 0; a = a->ai_next) {
        // Without the family nginx is not told to listen there (edge.c), so an absent address is no fault.
        if (!binds(a) && !(config->listen == NULL && errno == EADDRNOTAVAIL))
            error = errno;
    }
    freeaddrinfo(found);
    if (error == EADDRINUSE)
        *why = arena_printf(arena, "port %s is in use by %s: stop that one first, or give another --port",
                            port, holder((unsigned)config->port, arena));
    else if (error == EACCES)
        *why = arena_printf(arena, "port %s needs root's rights: give a --port above 1023", port);
    else if (error != 0)
        *why = arena_printf(arena, "port %s cannot be listened on: %s", port, strerror(error));
    return error == 0;
}
