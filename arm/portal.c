// portal.<region>.<domain>: until there is a portal, one plain page with the endpoints, the certificate
// authority to trust and how az signs in, and the documents it links to. Nothing on it is secret, nothing
// comes from elsewhere.
#include "arm/door.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/certificate.h"
#include "base/site.h"

#include <stdio.h>

enum { CA_LIMIT = 64 * 1024 };

extern const unsigned char embedded_quickstart_md[], embedded_deploying_md[], embedded_clients_md[],
    embedded_faq_md[];
extern const size_t embedded_quickstart_md_length, embedded_deploying_md_length, embedded_clients_md_length,
    embedded_faq_md_length;

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:58rem;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem 1.5rem .25rem "
    "0}pre{background:#f2f2f2;padding:1rem;"
    "overflow:auto}code,pre{font:14px/1.45 ui-monospace,monospace;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}pre{background:#262626}a{color:#"
    "7db7ff}}";

// ---- pieces of the page

static void escaped(struct buffer *b, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            buffer_string(b, "&lt;");
            break;
        case '>':
            buffer_string(b, "&gt;");
            break;
        case '&':
            buffer_string(b, "&amp;");
            break;
        case '"':
            buffer_string(b, "&quot;");
            break;
        case '\'':
            buffer_string(b, "&#39;");
            break;
        default:
            buffer_char(b, *text);
        }
}

static void heading(struct buffer *b, const char *text)
{
    buffer_format(b, "<h2>%s</h2>\n", text);
}

static void row(struct buffer *b, const char *what, const char *value)
{
    buffer_format(b, "<tr><th scope=\"row\">%s</th><td><code>", what);
    escaped(b, value);
    buffer_string(b, "</code></td></tr>\n");
}

static void lines(struct buffer *b, const char *text)
{
    buffer_string(b, "<pre>");
    escaped(b, text);
    buffer_string(b, "</pre>\n");
}

static const char *ca_path(struct arena *arena)
{
    return arena_printf(arena, "%s/tls/ca.pem", site()->config->state);
}

// Absent: there is none, or it is no certificate.
static struct text ca_file(struct arena *arena)
{
    FILE *file = fopen(ca_path(arena), "re");
    if (!file)
        return TEXT_NONE;
    char *bytes = arena_alloc(arena, CA_LIMIT);
    size_t length = fread(bytes, 1, CA_LIMIT, file);
    fclose(file);
    struct text text = {bytes, length};
    // A file that holds a key as well is nothing to hand out.
    bool sound = length < CA_LIMIT && text_search(text, TEXT("-----BEGIN CERTIFICATE-----")) >= 0 &&
                 text_search(text, TEXT("PRIVATE KEY")) < 0;
    return sound ? text : TEXT_NONE;
}

static void write_endpoints(struct buffer *b, const struct config *config)
{
    heading(b, "Endpoints");
    buffer_string(b, "<table>\n");
    row(b, "Resource Manager", config->url_management);
    row(b, "Resource Manager of the operator", config->url_admin);
    row(b, "Sign-in", arena_printf(b->arena, "%s/adfs", config->url_adfs));
    row(b, "Directory (Graph)", config->url_graph);
    row(b, "Audience of tokens", config->audience);
    row(b, "Tenant", config->tenant_id);
    row(b, "Region", config->region);
    row(b, "Registries", arena_printf(b->arena, "<registry>%s", config->acr_suffix));
    buffer_string(b, "</table>\n");
}

static void write_trust(struct buffer *b, const struct config *config)
{
    struct text fingerprint = certificate_fingerprint(ca_path(b->arena), b->arena);
    heading(b, "Trust this site");
    if (!ca_file(b->arena).base || fingerprint.length == 0) {
        buffer_string(b, "<p>Ask your operator whose certificates this site has.</p>\n");
        return;
    }
    buffer_string(
        b,
        "<p>The site has a certificate authority of its own: <a href=\"/ca.pem\" download>ca.pem</a>. What "
        "is "
        "downloaded from a page that nothing vouches for yet is to be compared with what your operator tells "
        "you; its SHA-256 fingerprint is</p>\n");
    lines(b, text_cstr(b->arena, fingerprint));
    lines(b,
          arena_printf(
              b->arena,
              "curl --insecure -o ca.pem %s/ca.pem\n"
              "openssl x509 -in ca.pem -noout -fingerprint -sha256   # compare\n\n"
              "# az, and everything in Python\n"
              "export REQUESTS_CA_BUNDLE=$PWD/ca.pem\n"
              "# docker, for each registry\n"
              "install -D -m 644 ca.pem /etc/docker/certs.d/REGISTRY%s/ca.crt\n"
              "# everything on a Debian or Ubuntu machine\n"
              "install -m 644 ca.pem /usr/local/share/ca-certificates/azsacr.crt && update-ca-certificates\n",
              config->url_portal, config->acr_suffix));
}

static void write_az(struct buffer *b, const struct config *config)
{
    heading(b, "Sign in with az");
    buffer_string(b, "<p>az 2.73 and newer:</p>\n");
    lines(b, arena_printf(b->arena,
                          "az cloud register -n azsacr --endpoint-resource-manager %s \\\n"
                          "    --suffix-acr-login-server-endpoint %s\n"
                          "az cloud set -n azsacr\n"
                          "az login --use-device-code\n",
                          config->url_management, config->acr_suffix));
    buffer_string(b, "<p>az up to 2.72, in Azure Stack Hub&#39;s profile:</p>\n");
    lines(
        b,
        arena_printf(
            b->arena,
            "az cloud register -n azsacr --endpoint-resource-manager %s \\\n"
            "    --suffix-acr-login-server-endpoint %s\n"
            "az cloud set -n azsacr\n"
            "az cloud update -n azsacr --cloud-config \\\n"
            "    '{\"profile\":\"2020-09-01-hybrid\",\"endpoints\":{\"microsoftGraphResourceId\":\"%s/\"}}'\n"
            "az login --use-device-code\n",
            config->url_management, config->acr_suffix, config->url_graph));
    heading(b, "Use a registry");
    lines(b, arena_printf(b->arena,
                          "az group create -n GROUP -l %s\n"
                          "az acr create -n REGISTRY -g GROUP --sku Standard\n"
                          "az acr login -n REGISTRY\n"
                          "docker push REGISTRY%s/IMAGE:TAG\n",
                          config->region, config->acr_suffix));
}

static struct text page(struct arena *arena)
{
    const struct config *config = site()->config;
    struct buffer b = buffer_new(arena);
    buffer_format(&b,
                  "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                  "<title>azsacr</title>\n<style>%s</style></head>\n<body>\n"
                  "<h1>Azure Container Registry on this site</h1>\n",
                  style);
    write_endpoints(&b, config);
    write_trust(&b, config);
    write_az(&b, config);
    heading(&b, "Read on");
    buffer_string(&b, "<ul><li><a href=\"/docs/quickstart.md\">Quick start</a></li>"
                      "<li><a href=\"/docs/deploying.md\">Deploying templates</a></li>"
                      "<li><a href=\"/docs/clients.md\">Clients and their versions</a></li>"
                      "<li><a href=\"/docs/faq.md\">Questions and answers</a></li></ul>\n");
    buffer_string(&b, "<p>azsacr " AZSACR_VERSION "</p>\n</body></html>\n");
    return buffer_done(&b);
}

// ---- what is served

static struct text document(struct text path)
{
    const struct {
        const char *path;
        const unsigned char *bytes;
        size_t length;
    } documents[] = {
        {"/docs/quickstart.md", embedded_quickstart_md, embedded_quickstart_md_length},
        {"/docs/deploying.md", embedded_deploying_md, embedded_deploying_md_length},
        {"/docs/clients.md", embedded_clients_md, embedded_clients_md_length},
        {"/docs/faq.md", embedded_faq_md, embedded_faq_md_length},
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        if (text_is(path, documents[i].path))
            return (struct text){(const char *)documents[i].bytes, documents[i].length};
    return TEXT_NONE;
}

static const char *answer_path(const struct http_request *request, struct http_answer *answer)
{
    answer->status = 200;
    if (text_is(request->path, "/")) {
        answer->body = page(request->arena);
        return "text/html; charset=utf-8";
    }
    if (text_is(request->path, "/ca.pem")) {
        answer->body = ca_file(request->arena);
        http_set_header_string(answer, "Content-Disposition", "attachment; filename=\"ca.pem\"");
        if (answer->body.base)
            return "application/x-pem-file";
    }
    answer->body = document(request->path);
    if (answer->body.base)
        return "text/plain; charset=utf-8";
    http_answer_reset(answer);
    answer->status = 404;
    answer->body = TEXT("There is no such page.\n");
    return "text/plain; charset=utf-8";
}

// Styles by their digest: no other style, no script, no frame, nothing from elsewhere.
static const char *content_security_policy(struct arena *arena)
{
    unsigned char hash[32];
    crypto_sha256(TEXT_JOIN(arena, text_of(style)), hash);
    return arena_printf(arena,
                        "default-src 'none'; style-src 'sha256-%.*s'; base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'",
                        TEXT_ARG(text_base64(arena, hash, sizeof hash)));
}

void portal_dispatch(struct http_exchange *exchange)
{
    struct http_answer *answer = &exchange->answer;
    const struct http_request *request = &exchange->request;
    const char *type = "text/plain; charset=utf-8";
    http_answer_reset(answer);
    if (request->malformed) {
        answer->status = 400;
        answer->body = TEXT("The request is malformed.\n");
    } else if (!(request->method & (HTTP_GET | HTTP_HEAD))) {
        answer->status = 405;
        answer->body = TEXT("Only GET and HEAD are supported here.\n");
        http_set_header_string(answer, "Allow", "GET, HEAD");
    } else {
        type = answer_path(request, answer);
    }
    http_set_header_string(answer, "Content-Type", type);
    http_set_header_string(answer, "Cache-Control", "no-cache");
    http_set_header_string(answer, "X-Content-Type-Options", "nosniff");
    http_set_header_string(answer, "X-Frame-Options", "DENY");
    http_set_header_string(answer, "Referrer-Policy", "no-referrer");
    http_set_header_string(answer, "Cross-Origin-Opener-Policy", "same-origin");
    http_set_header_string(answer, "Content-Security-Policy", content_security_policy(request->arena));
    http_set_header_string(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    http_finish(exchange);
}
