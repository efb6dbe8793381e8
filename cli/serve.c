// azsacrd serve: the service itself. Starts every part in order, waits for a signal, stops them in reverse.
#include "cli/commands.h"

#include "arm/activity.h"
#include "arm/door.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/site.h"
#include "cli/edge.h"
#include "cli/hosts.h"
#include "cli/options.h"
#include "cli/site.h"
#include "db/job.h"
#include "http/server.h"
#include "rbac/lane.h"
#include "rbac/services.h"
#include "rbac/snapshot.h"
#include "rp/data/call.h"
#include "rp/data/receiver.h"
#include "rp/data/store.h"
#include "rp/data/sweep.h"
#include "rp/provider.h"
#include "templates/templates.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { HOSTS = 7, DRAIN_MS = 10000, BODY_LIMIT = 4 * 1024 * 1024 + 64 * 1024 };

struct service {
    struct arena *arena;
    struct config *config;
    struct site site;
    struct db_target loop_target;
    struct http_host hosts[HOSTS];
    size_t host_count;
    struct http_server *server;
    struct receiver *receiver;
    struct job_workers *jobs;
    struct sweep *sweep;
    struct hosts *hosts_file;
};

static struct service service;

// Whose form an answer takes that the fence gives by itself.
static void refuse(struct http_exchange *exchange, int status, const char *why)
{
    const struct config *c = service.config;
    if (text_is(exchange->request.host, c->host_adfs))
        signin_refuse(exchange, status, why);
    else if (text_is(exchange->request.host, c->host_graph))
        graph_refuse(exchange, status, why);
    else if (text_ends(exchange->request.host, c->suffix))
        registry_refuse(exchange, status, why);
    else
        arm_refuse(exchange, status, why);
}

// The least that a request can cost here: what bench/run measures everything else against.
static void say_hello(struct http_exchange *exchange)
{
    exchange->answer.status = 200;
    exchange->answer.body = TEXT("Hello, world");
    http_finish(exchange);
}

static void fill_hosts(struct service *s)
{
    const struct config *c = s->config;
    s->hosts[0] = (struct http_host){c->host_management, arm_dispatch};
    s->hosts[1] = (struct http_host){c->host_admin, arm_dispatch};
    s->hosts[2] = (struct http_host){c->host_adfs, signin_dispatch};
    s->hosts[3] = (struct http_host){c->host_graph, graph_dispatch};
    s->hosts[4] = (struct http_host){c->host_portal, portal_dispatch};
    s->hosts[5] = (struct http_host){arena_printf(s->arena, "*.%s", c->suffix), registry_dispatch};
    s->host_count = 6;
    if (c->host_hello != NULL)
        s->hosts[s->host_count++] = (struct http_host){c->host_hello, say_hello};
}

static const struct job_kind *all_job_kinds(struct arena *arena)
{
    size_t count = 0, n = 0;
    const struct job_kind *const tables[] = {arm_job_kinds, provider_job_kinds, templates_job_kinds};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct job_kind *k = tables[t]; k->name != NULL; k++)
            count++;
    }
    struct job_kind *all = ARENA_ARRAY(arena, struct job_kind, count + 1);
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (const struct job_kind *k = tables[t]; k->name != NULL; k++)
            all[n++] = *k;
    }
    return all;
}

// Everything before the first socket: database, key, tenant, tables of operations.
static bool prepare(struct service *s, const char **why)
{
    struct config *c = s->config;
    if (!site_directories(c, s->arena, why))
        return false;
    // An edge elsewhere may have a certificate of its own: whether it has is not ours to judge.
    if (!site_certificates(c, s->arena, why))
        log_warning("serve.certificate", "why", *why);
    if (!site_database(c, 60, s->arena, why))
        return false;
    struct master_key *key = site_master_key(c, s->arena, why);
    if (key == NULL)
        return false;
    s->site = (struct site){c, key};
    site_set(&s->site);
    return site_first_start(c, s->arena, why) && site_write_endpoints(c, s->arena, why) &&
           store_open(c->store, why, s->arena);
}

static bool start(struct service *s, const char **why)
{
    const struct config *c = s->config;
    const char *conninfo = site_conninfo(c, s->arena);
    struct db_target work = {conninfo, "azsacr work", 10000}, jobs = {conninfo, "azsacr jobs", 30000};
    struct db_target receiver = {conninfo, "azsacr receiver", 10000},
                     sweep = {conninfo, "azsacr sweep", 30000};
    struct db_target snapshot = {conninfo, "azsacr snapshot", 10000};
    s->loop_target = (struct db_target){conninfo, "azsacr loop", 250};
    rbac_snapshot_start(&snapshot);
    rbac_services_start();
    provider_start();
    templates_start();
    arm_start();
    struct db_target activity = {conninfo, "azsacr activity", 10000};
    activity_start(&activity);
    lane_start(&work, (size_t)c->request_workers);
    job_set_retention((int64_t)c->operation_retention * 24 * 3600);
    s->jobs = job_workers_start(&jobs, all_job_kinds(s->arena), (size_t)c->job_workers);
    s->sweep = sweep_start(&sweep);
    s->receiver =
        receiver_start(arena_printf(s->arena, "%s/receiver.sock", c->runtime), edge_group(), &receiver);
    if (s->receiver == NULL) {
        *why = "the upload receiver cannot listen";
        return false;
    }
    fill_hosts(s);
    struct http_server_config server = {
        .loops = (size_t)c->loops,
        .socket_format = arena_printf(s->arena, "%s/http-%%zu.sock", c->runtime),
        .socket_group = edge_group(),
        .loopback = c->loopback,
        .hosts = s->hosts,
        .host_count = s->host_count,
        .body_limit = BODY_LIMIT,
        .origins = c->origins,
        .refuse = refuse,
        .loop_started = lane_loop_started,
        .loop_stopping = lane_loop_stopping,
        .argument = &s->loop_target,
    };
    s->server = http_server_start(&server, s->arena, why);
    if (s->server == NULL)
        return false;
    const char *hosts_file = getenv("AZSACR_HOSTS_FILE");
    if (hosts_file != NULL && hosts_file[0] != '\0')
        s->hosts_file = hosts_start(c, hosts_file, conninfo);
    return true;
}

static void stop(struct service *s)
{
    if (s->jobs != NULL)
        job_workers_stop(s->jobs);
    if (s->sweep != NULL)
        sweep_stop(s->sweep);
    if (s->server != NULL)
        http_server_stop(s->server, DRAIN_MS);
    lane_stop();
    activity_stop();
    if (s->receiver != NULL)
        receiver_stop(s->receiver, DRAIN_MS);
    hosts_stop(s->hosts_file);
    rbac_snapshot_stop();
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum log_level)i;
    }
    return LOG_LEVEL_INFO;
}

int command_serve(int argc, char **argv)
{
    struct option options[] = {
        {"state", false, "the state directory", NULL},
        {"port", false, "the edge's port, for the URLs handed out", NULL},
        {"region", false, "the region's name", NULL},
        {"domain", false, "the domain the hosts stand in", NULL},
        {NULL, false, NULL, NULL},
    };
    if (options_parse("serve", NULL, argc, argv, options) != 0)
        return 2;
    struct service *s = &service;
    heap_give_back();
    s->arena = arena_new();
    s->config = configure(s->arena, options[0].value, options[1].value, options[2].value, options[3].value);
    if (s->config == NULL)
        return 2;
    log_set_level(level_of(s->config->log_level));
    raise_file_limit();
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); // inherited by every thread
    signal(SIGPIPE, SIG_IGN);
    const char *why = NULL;
    if (!prepare(s, &why) || !start(s, &why)) {
        log_error("serve.failed", "why", why);
        fprintf(stderr, "azsacrd serve: %s\n", why);
        return 1;
    }
    log_info("serve.ready", "version", AZSACR_VERSION, "resourceManager", s->config->url_management);
    int got = 0;
    sigwait(&signals, &got);
    log_info("serve.stopping", "signal", strsignal(got));
    stop(s);
    master_key_free((struct master_key *)(uintptr_t)s->site.master_key);
    arena_free(s->arena);
    log_info("serve.stopped");
    return 0;
}
