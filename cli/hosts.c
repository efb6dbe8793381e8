// Keeping the hosts file. The file is written in place, not renamed over: it may be a mount of its own.
#include "cli/hosts.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/log.h"
#include "db/database.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

// Between two looks: short, since a client resolves the host right after the create's answer; a microsecond
// more for each registry, since a look counts them all.
enum { LOOK_US = 40 * 1000, LONGEST_LOOK_US = 1000 * 1000 };

// What the file says: the set of registries that it was written from.
struct look {
    struct hosts *hosts;
    char mark[48];
    int64_t count;
};

struct hosts {
    const struct config *config;
    char *path;
    struct db_connection *connection;
    struct look look;
    pthread_t thread;
    atomic_bool stopping;
};

// Of the set itself: neither its size nor its greatest id tells that one went while one with an earlier id
// was committed late.
static const struct db_statement registries_mark = {
    "hosts_registries_mark",
    "select count(*), count(*)::text || ':' || coalesce(bit_xor(hashint8extended(id, 0)), 0)::text"
    " from acr.registry",
};
static const struct db_statement registries_names = {
    "hosts_registries_names",
    "select login_key from acr.registry order by login_key",
};

static struct text read_whole(int fd, struct arena *arena)
{
    struct buffer b = buffer_new(arena);
    char chunk[8192];
    ssize_t n;
    while ((n = pread(fd, chunk, sizeof chunk, (off_t)b.length)) > 0)
        buffer_add(&b, chunk, (size_t)n);
    return buffer_done(&b);
}

static bool write_whole(int fd, struct text content)
{
    return pwrite(fd, content.base, content.length, 0) == (ssize_t)content.length &&
           ftruncate(fd, (off_t)content.length) == 0;
}

static struct text marker(const struct config *config, struct arena *arena, const char *which)
{
    return text_of(arena_printf(arena, "# azsacr %s %s", which, config->state));
}

// The file's lines without our block.
static void copy_others(struct buffer *out, struct text content, struct text begin, struct text end)
{
    bool ours = false;
    for (size_t i = 0; i < content.length;) {
        struct text rest = text_slice(content, i, content.length);
        ptrdiff_t newline = text_find(rest, '\n');
        struct text line = text_slice(rest, 0, newline < 0 ? rest.length : (size_t)newline);
        i += line.length + 1;
        if (text_equal(line, begin))
            ours = true;
        if (!ours) {
            buffer_text(out, line);
            buffer_char(out, '\n');
        }
        if (text_equal(line, end))
            ours = false;
    }
}

static bool rewrite(const struct config *config, const char *path, const struct db_result *registries,
                    bool block)
{
    // Locked: another site on this machine keeps a block in the same file.
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        log_warning("hosts.unwritable", "path", path, "error", strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    struct arena *arena = arena_new();
    struct buffer out = buffer_new(arena);
    struct text begin = marker(config, arena, "begin"), end = marker(config, arena, "end");
    copy_others(&out, read_whole(fd, arena), begin, end);
    if (block) {
        buffer_format(&out, "%s\n127.0.0.1 %s %s %s %s %s\n", begin.base, config->host_management,
                      config->host_admin, config->host_adfs, config->host_graph, config->host_portal);
        for (size_t i = 0; registries != NULL && i < db_rows(registries); i++)
            buffer_format(&out, "127.0.0.1 %s.%s\n", db_get(registries, i, 0).base, config->suffix);
        buffer_format(&out, "%s\n", end.base);
    }
    bool ok = write_whole(fd, buffer_done(&out));
    if (!ok)
        log_warning("hosts.unwritable", "path", path, "error", strerror(errno));
    close(fd);
    arena_free(arena);
    return ok;
}

static bool look(struct db_transaction *tx, void *argument)
{
    struct look *l = argument;
    const struct db_result *mark = DB_RUN0(tx, &registries_mark);
    if (db_rows(mark) == 0 || text_is(db_get(mark, 0, 1), l->mark))
        return true;
    l->count = db_get_int(mark, 0, 0);
    const struct db_result *names = DB_RUN0(tx, &registries_names);
    if (!db_failed(tx) && rewrite(l->hosts->config, l->hosts->path, names, true))
        snprintf(l->mark, sizeof l->mark, "%s", db_get(mark, 0, 1).base);
    return true;
}

static void *follow(void *argument)
{
    struct look *l = argument;
    while (!l->hosts->stopping) {
        int64_t us = LOOK_US + (l->count < LONGEST_LOOK_US - LOOK_US ? l->count : LONGEST_LOOK_US - LOOK_US);
        nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
        db_transact(l->hosts->connection, look, l);
    }
    return NULL;
}

struct hosts *hosts_start(const struct config *config, const char *path, const char *conninfo)
{
    struct hosts *hosts = xcalloc(1, sizeof *hosts);
    struct db_target target = {conninfo, "azsacr hosts", 2000};
    hosts->config = config;
    hosts->path = xstrdup(path);
    hosts->connection = db_connection_new(&target);
    hosts->look.hosts = hosts;
    // The registries of an earlier start keep their lines; a service that was only restarted changes nothing.
    if (db_transact(hosts->connection, look, &hosts->look) != DB_COMMITTED || hosts->look.mark[0] == '\0')
        rewrite(config, path, NULL, true);
    if (pthread_create(&hosts->thread, NULL, follow, &hosts->look) != 0)
        abort();
    return hosts;
}

void hosts_stop(struct hosts *hosts)
{
    if (hosts == NULL)
        return;
    hosts->stopping = true;
    pthread_join(hosts->thread, NULL);
    hosts_remove(hosts->config, hosts->path);
    db_connection_free(hosts->connection);
    free(hosts->path);
    free(hosts);
}

bool hosts_remove(const struct config *config, const char *path)
{
    return rewrite(config, path, NULL, false);
}
