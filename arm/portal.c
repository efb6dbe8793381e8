// portal.<region>.<domain>: one plain page with the endpoints and how to sign in. Nothing secret is on it.
#include "arm/door.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/site.h"

static void escaped(struct buffer *b, const char *text)
{
    for (; *text; text++)
        if (*text == '<')
            buffer_string(b, "&lt;");
        else if (*text == '&')
            buffer_string(b, "&amp;");
        else if (*text == '"')
            buffer_string(b, "&quot;");
        else
            buffer_char(b, *text);
}

static void row(struct buffer *b, const char *what, const char *value)
{
    buffer_format(b, "<tr><th>%s</th><td><code>", what);
    escaped(b, value);
    buffer_string(b, "</code></td></tr>\n");
}

static struct text page(struct arena *arena)
{
    const struct config *config = site()->config;
    struct buffer b = buffer_new(arena);
    buffer_string(&b,
                  "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>azsacr</title>\n"
                  "<style>body{font:16px sans-serif;margin:2em;max-width:60em}th{text-align:left;"
                  "padding-right:1em}pre{background:#eee;padding:1em;overflow:auto}</style></head><body>\n"
                  "<h1>Azure Container Registry on this site</h1>\n<h2>Endpoints</h2>\n<table>\n");
    row(&b, "Resource Manager", config->url_management);
    row(&b, "Resource Manager of the operator", config->url_admin);
    row(&b, "Sign-in", arena_printf(arena, "%s/adfs", config->url_adfs));
    row(&b, "Graph", config->url_graph);
    row(&b, "Audience", config->audience);
    row(&b, "Registries", arena_printf(arena, "<registry>%s", config->acr_suffix));
    buffer_string(&b,
                  "</table>\n<h2>Sign in with az</h2>\n<p>Your client has to trust this site's certificate "
                  "authority: ask your operator for its file, <code>ca.pem</code>.</p>\n<pre>");
    escaped(
        &b,
        arena_printf(
            arena,
            "export REQUESTS_CA_BUNDLE=/path/to/ca.pem\n"
            "az cloud register -n azsacr --endpoint-resource-manager %s \\\n"
            "    --suffix-acr-login-server-endpoint %s\n"
            "az cloud set -n azsacr\n\n"
            "# az up to 2.72 only: Azure Stack Hub's profile, and the directory\n"
            "az cloud update -n azsacr --cloud-config \\\n"
            "    "
            "'{\"profile\":\"2020-09-01-hybrid\",\"endpoints\":{\"microsoftGraphResourceId\":\"%s/\"}}'\n\n"
            "az login --use-device-code\n",
            config->url_management, config->acr_suffix, config->url_graph));
    buffer_string(&b, "</pre>\n<h2>Use a registry</h2>\n<pre>");
    escaped(&b, arena_printf(arena,
                             "az group create -n GROUP -l %s\n"
                             "az acr create -n REGISTRY -g GROUP --sku Standard\n"
                             "az acr login -n REGISTRY\n"
                             "docker push REGISTRY%s/IMAGE:TAG\n",
                             config->region, config->acr_suffix));
    buffer_string(&b, "</pre>\n</body></html>\n");
    return buffer_done(&b);
}

void portal_dispatch(struct http_exchange *exchange)
{
    struct http_answer *answer = &exchange->answer;
    const struct http_request *request = &exchange->request;
    http_answer_reset(answer);
    if (request->malformed) {
        answer->status = 400;
        answer->body = TEXT("The request is malformed.\n");
    } else if (!(request->method & (HTTP_GET | HTTP_HEAD))) {
        answer->status = 405;
        answer->body = TEXT("Only GET and HEAD are supported here.\n");
        http_set_header_string(answer, "Allow", "GET, HEAD");
    } else if (!text_is(request->path, "/")) {
        answer->status = 404;
        answer->body = TEXT("There is no such page.\n");
    } else {
        answer->status = 200;
        answer->body = page(request->arena);
    }
    http_set_header_string(answer, "Content-Type",
                           answer->status == 200 ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
    http_set_header_string(answer, "Cache-Control", "no-cache");
    http_set_header_string(answer, "X-Content-Type-Options", "nosniff");
    http_set_header_string(answer, "Content-Security-Policy",
                           "default-src 'none'; style-src 'unsafe-inline'");
    http_set_header_string(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    http_finish(exchange);
}
