// Filling the edge's template. What nginx refuses by itself is worded here, in each host's own form.
#include "cli/edge.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <errno.h>
#include <grp.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

// File systems that <linux/magic.h> leaves out.
enum { GFS2_SUPER_MAGIC = 0x01161970, LUSTRE_SUPER_MAGIC = 0x0bd00bd0 };

extern const unsigned char embedded_edge_conf_in[];
extern const size_t embedded_edge_conf_in_length;

struct refusal {
    int status;
    const char *code, *message;
};

static const struct refusal arm_refusals[] = {
    {400, "BadRequest", "The request is malformed."},
    {403, "Forbidden", "The request is not allowed."},
    {404, "NotFound", "The requested resource was not found."},
    {405, "HttpMethodNotSupported", "The http method is not supported for this resource."},
    {412, "PreconditionFailed", "The condition of a header of the request is not met."},
    {413, "RequestEntityTooLarge",
     "The request content is larger than 4194304 bytes, the largest allowed size."},
    {414, "RequestUriTooLong", "The request URI is too long."},
    {494, "RequestHeadersTooLarge", "The request headers are too large."},
    {497, "BadRequest", "The request came without TLS."},
    {500, "ServiceUnavailable", "The service has no room for the request at the moment; please try again."},
    {501, "NotImplemented", "The transfer encoding of the request is not supported."},
    {502, "BadGatewayConnection", "The service is starting or is not reachable; please try again."},
    {504, "GatewayTimeout", "The gateway did not receive a response within the specified time period."},
    {505, "HttpVersionNotSupported", "The HTTP version of the request is not supported."},
};

static const struct refusal registry_refusals[] = {
    {400, "UNSUPPORTED", "the request is malformed"},
    {403, "DENIED", "the request is not allowed"},
    {404, "NAME_UNKNOWN", "repository name not known to registry"},
    {405, "UNSUPPORTED", "The operation is unsupported."},
    {412, "UNSUPPORTED", "the condition of a header of the request is not met"},
    {413, "SIZE_INVALID", "the request body is larger than 4194304 bytes"},
    {414, "UNSUPPORTED", "the request URI is too long"},
    {416, "RANGE_INVALID", "the requested range cannot be satisfied"},
    {494, "UNSUPPORTED", "the request headers are too large"},
    {497, "UNSUPPORTED", "the request came without TLS"},
    {500, "UNAVAILABLE", "the registry has no room for the request at the moment; please try again"},
    {501, "UNSUPPORTED", "the transfer encoding of the request is not supported"},
    {502, "UNAVAILABLE", "the registry is starting or is not reachable; please try again"},
    {504, "UNAVAILABLE", "the registry did not answer in time; please try again"},
    {505, "UNSUPPORTED", "the HTTP version of the request is not supported"},
};

static const struct refusal manifest_refusal = {400, "MANIFEST_INVALID",
                                                "a manifest must not be larger than 4 MiB"};

enum form { ARM_FORM, SIGNIN_FORM, REGISTRY_FORM };

static const char *body_of(struct arena *arena, enum form form, const struct refusal *r)
{
    switch (form) {
    case ARM_FORM:
        return arena_printf(arena, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", r->code, r->message);
    case SIGNIN_FORM:
        return arena_printf(arena, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
                            r->status < 500 ? "invalid_request" : "temporarily_unavailable", r->message);
    case REGISTRY_FORM:
        break;
    }
    return arena_printf(arena, "{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}", r->code, r->message);
}

static void error_headers(struct buffer *out, enum form form)
{
    if (form == REGISTRY_FORM)
        buffer_string(out, "            add_header Docker-Distribution-Api-Version registry/2.0 always;\n"
                           "            add_header X-Ms-Correlation-Request-Id $azsacr_id always;\n"
                           "            add_header Access-Control-Expose-Headers \"Docker-Content-Digest, "
                           "WWW-Authenticate, Link, X-Ms-Correlation-Request-Id\" always;\n");
    if (form == ARM_FORM)
        buffer_string(out, "            add_header x-ms-failure-cause gateway always;\n"
                           "            add_header Cache-Control no-cache always;\n"
                           "            add_header Pragma no-cache always;\n"
                           "            add_header Expires -1 always;\n"
                           "            add_header x-ms-request-id $azsacr_id always;\n"
                           "            add_header x-ms-correlation-request-id $azsacr_id always;\n"
                           "            add_header x-ms-routing-request-id $azsacr_routing_id always;\n");
    if (form != REGISTRY_FORM)
        buffer_string(out, "            add_header Access-Control-Expose-Headers $azsacr_exposed always;\n");
    buffer_string(
        out,
        "            add_header Access-Control-Allow-Origin $azsacr_origin always;\n"
        "            add_header Vary $azsacr_vary always;\n"
        "            add_header X-Content-Type-Options nosniff always;\n"
        "            add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains\" always;\n");
}

static void error_pages(struct buffer *out, enum form form, const struct refusal *refusals, size_t count)
{
    static const char *const names[] = {"arm", "signin", "registry"};
    for (size_t i = 0; i < count; i++) {
        const struct refusal *r = &refusals[i];
        // Not named locations: nginx cannot go to one for a request whose URI it could not read.
        // nginx keeps 494 and 497 to itself; clients are told 400. Its own 500 (azsacrd's are not touched)
        // means that there was no file or memory for a body: that passes.
        int status = r->status == 494 || r->status == 497 ? 400 : r->status == 500 ? 503 : r->status;
        // A manifest that is too large is one that is not valid (data-plane.md 2.3).
        bool manifests = form == REGISTRY_FORM && r->status == 413;
        buffer_format(out,
                      "        error_page %d%s /_edge/%s/%d;\n"
                      "        location = /_edge/%s/%d {\n"
                      "            internal;\n"
                      "            client_max_body_size 0;\n" // what is left of the body was judged already
                      "            default_type \"application/json; charset=utf-8\";\n",
                      r->status,
                      status == 503 ? " =503"
                      : manifests   ? " ="
                                    : "",
                      names[form], r->status, names[form], r->status);
        // A range is found unsatisfiable when the headers of the file are set already.
        if (r->status != 416)
            error_headers(out, form);
        if (status == 503 && form == ARM_FORM)
            buffer_string(out, "            add_header Retry-After 1 always;\n");
        if (r->status == 405)
            buffer_string(out,
                          "            add_header Allow \"GET, HEAD, PUT, POST, PATCH, DELETE\" always;\n");
        if (manifests)
            buffer_format(out,
                          "            if ($request_uri ~ \"^/v2/.+/manifests/\") {\n"
                          "                return 400 '%s';\n            }\n",
                          body_of(out->arena, form, &manifest_refusal));
        buffer_format(out, "            return %d '%s';\n        }\n", status, body_of(out->arena, form, r));
    }
}

static const char *pages(struct arena *arena, enum form form)
{
    struct buffer out = buffer_new(arena);
    if (form == REGISTRY_FORM)
        error_pages(&out, form, registry_refusals, sizeof registry_refusals / sizeof registry_refusals[0]);
    else
        error_pages(&out, form, arm_refusals, sizeof arm_refusals / sizeof arm_refusals[0]);
    return buffer_done(&out).base;
}

static bool has_ipv6(void)
{
    FILE *file = fopen("/proc/net/if_inet6", "re");
    bool some = file != NULL && fgetc(file) != EOF;
    if (file != NULL)
        fclose(file);
    return some;
}

static const char *listen_lines(const struct config *config, struct arena *arena, const char *extra)
{
    if (config->listen != NULL)
        return arena_printf(arena, "        listen %s:%d ssl http2%s;\n", config->listen, config->port,
                            extra);
    return arena_printf(
        arena, "        listen %d ssl http2%s;\n%s", config->port, extra,
        has_ipv6() ? arena_printf(arena, "        listen [::]:%d ssl http2%s;\n", config->port, extra) : "");
}

static const char *upstream_lines(const struct config *config, struct arena *arena)
{
    struct buffer out = buffer_new(arena);
    for (int i = 0; i < config->loops; i++)
        buffer_format(&out, "        server unix:%s/http-%d.sock max_fails=0;\n", config->runtime, i);
    return buffer_done(&out).base;
}

// As many as this process may have: asking for more than the hard limit only makes nginx complain.
static const char *file_limit(struct arena *arena)
{
    struct rlimit limit = {.rlim_max = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    return arena_printf(arena, "%llu", (unsigned long long)(limit.rlim_max < 65536 ? limit.rlim_max : 65536));
}

// On a shared store reads go to a pool of threads: a hanging server must not stop whole workers.
static const char *store_aio(const struct config *config)
{
    static const unsigned long shared[] = {NFS_SUPER_MAGIC,   SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC,
                                           CEPH_SUPER_MAGIC,  FUSE_SUPER_MAGIC, V9FS_MAGIC,
                                           OCFS2_SUPER_MAGIC, GFS2_SUPER_MAGIC, LUSTRE_SUPER_MAGIC};
    struct statfs status;
    if (statfs(config->store, &status) != 0)
        return "";
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        if ((unsigned long)status.f_type == shared[i])
            return "            aio threads;\n";
    }
    return "";
}

// The origins whose pages may read what nginx itself answers with (http/cors.h says the rest).
static const char *origin_lines(const struct config *config, struct arena *arena)
{
    struct buffer out = buffer_new(arena);
    for (size_t i = 0; config->origins[i] != NULL; i++)
        buffer_format(&out, "        \"%s\" $http_origin;\n", config->origins[i]);
    return out.length > 0 ? buffer_done(&out).base : "";
}

struct text edge_render(const struct config *config, const char *access_log, struct arena *arena)
{
    const char *certificate = arena_printf(arena, "%s/tls/edge.pem", config->state);
    const char *key = arena_printf(arena, "%s/tls/edge.key", config->state);
    const struct {
        const char *name, *value;
    } names[] = {
        {"USER", geteuid() == 0 ? "user www-data;" : ""},
        {"WORKERS", "2"},
        {"FILES", file_limit(arena)},
        {"STATE", config->state},
        {"REGION", text_cstr(arena, text_upper(arena, text_of(config->region)))},
        {"RUN", config->runtime},
        {"ACCESS_LOG", access_log},
        {"CERTIFICATE", certificate},
        {"CERTIFICATE_KEY", key},
        {"UPSTREAMS", upstream_lines(config, arena)},
        {"PORT_SUFFIX", config->port_suffix},
        {"LISTEN_DEFAULT", listen_lines(config, arena, " default_server")},
        {"LISTEN", listen_lines(config, arena, "")},
        {"MANAGEMENT", config->host_hello
                           ? arena_printf(arena, "%s %s", config->host_management, config->host_hello)
                           : config->host_management},
        {"ADMIN", config->host_admin},
        {"ADFS", config->host_adfs},
        {"GRAPH", config->host_graph},
        {"PORTAL", config->host_portal},
        {"SUFFIX", config->suffix},
        {"STORE", config->store},
        {"ORIGINS", origin_lines(config, arena)},
        {"STORE_AIO", store_aio(config)},
        {"ARM_ERRORS", pages(arena, ARM_FORM)},
        {"SIGNIN_ERRORS", pages(arena, SIGNIN_FORM)},
        {"REGISTRY_ERRORS", pages(arena, REGISTRY_FORM)},
    };
    struct text template = {(const char *)embedded_edge_conf_in, embedded_edge_conf_in_length};
    struct buffer out = buffer_new(arena);
    for (size_t i = 0; i < template.length;) {
        size_t n = 0;
        while (i + 1 + n < template.length && template.base[i] == '@' &&
               ((template.base[i + 1 + n] >= 'A' && template.base[i + 1 + n] <= 'Z') ||
                template.base[i + 1 + n] == '_'))
            n++;
        const char *value = NULL;
        for (size_t k = 0; n > 0 && template.base[i + 1 + n] == '@' && k < sizeof names / sizeof names[0];
             k++) {
            if (text_is(text_slice(template, i + 1, i + 1 + n), names[k].name))
                value = names[k].value;
        }
        if (value != NULL)
            buffer_string(&out, value);
        else
            buffer_char(&out, template.base[i]);
        i += value != NULL ? n + 2 : 1;
    }
    return buffer_done(&out);
}

bool edge_write(const struct config *config, struct arena *arena, const char **why)
{
    struct text text = edge_render(config, arena_printf(arena, "%s/log/edge.log", config->state), arena);
    const char *path = arena_printf(arena, "%s/edge.conf", config->runtime);
    FILE *file = fopen(path, "we");
    bool ok = file != NULL && fwrite(text.base, 1, text.length, file) == text.length;
    ok = file != NULL && fclose(file) == 0 && ok;
    if (!ok)
        *why = arena_printf(arena, "%s cannot be written: %s", path, strerror(errno));
    return ok;
}

const char *const *edge_command(const struct config *config, struct arena *arena)
{
    const char **argv = ARENA_ARRAY(arena, const char *, 8);
    size_t n = 0;
    argv[n++] = "/usr/sbin/nginx";
    argv[n++] = "-e";
    argv[n++] = "stderr";
    argv[n++] = "-p";
    argv[n++] = config->runtime;
    argv[n++] = "-c";
    argv[n++] = arena_printf(arena, "%s/edge.conf", config->runtime);
    return argv;
}

static bool is_member(gid_t group)
{
    gid_t groups[256];
    int count = getgroups((int)(sizeof groups / sizeof groups[0]), groups);
    for (int i = 0; i < count; i++) {
        if (groups[i] == group)
            return true;
    }
    return getegid() == group;
}

int edge_group(void)
{
    const struct group *group = getgrnam("www-data");
    return group != NULL && (geteuid() == 0 || is_member(group->gr_gid)) ? (int)group->gr_gid : -1;
}
