// Fetching links: from whom, trusted by what, and how many at a time.
#include "templates/link_fetch.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/site.h"
#include "http/fetch.h"

#include <pthread.h>
#include <time.h>

enum {
    AT_ONCE = 2, // of the workers, most stay free for others
    WAIT = 2 * 1000000,
    ONE = 10 * 1000000, // microseconds for one link
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int under_way;

static void start(void)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&one_ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool link_fetch_begin(void)
{
    int64_t until = clock_monotonic() + WAIT;
    struct timespec limit = {until / 1000000, until % 1000000 * 1000};
    pthread_once(&once, start);
    pthread_mutex_lock(&mutex);
    while (under_way >= AT_ONCE)
        if (pthread_cond_timedwait(&one_ended, &mutex, &limit) != 0)
            break;
    bool room = under_way < AT_ONCE;
    under_way += room;
    pthread_mutex_unlock(&mutex);
    return room;
}

void link_fetch_end(void)
{
    pthread_mutex_lock(&mutex);
    under_way--;
    pthread_cond_signal(&one_ended);
    pthread_mutex_unlock(&mutex);
}

const char *link_fetch(struct arena *arena, struct text url, size_t limit, int64_t deadline,
                       struct text *content)
{
    const struct config *c = site()->config;
    int64_t own = clock_monotonic() + ONE;
    const char *authorities[] = {arena_printf(arena, "%s/tls/ca.pem", c->state), c->template_link_ca, NULL};
    const struct fetch how = {.hosts = c->link_hosts,
                              .authorities = authorities,
                              .limit = limit,
                              .deadline = own < deadline ? own : deadline};
    return fetch_get(arena, &how, url, content);
}

void link_log(const char *tracking, struct text name, const char *why)
{
    struct arena *arena = arena_new();
    log_warning("template_link.failed", "tracking", tracking, "uri", text_cstr(arena, name), "why", why);
    arena_free(arena);
}
