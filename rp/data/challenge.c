// The 401 and its challenge. az splits the header on blanks and then on commas, so: one header, no blank
// after a comma, no comma inside a value where az parses it (`/v2/`), exactly in this order
// (data-plane.md 1.2). The one blank is between the two scopes of a mount, which az never asks for.
#include "rp/data/challenge.h"

#include "base/arena.h"
#include "rp/data/registry_row.h"

#define UNAUTHORIZED_MESSAGE                                                                                 \
    "authentication required, visit https://aka.ms/acr/authorization for more information."

struct need {
    const char *type;
    struct text name;
    const char *actions[2];
};

static struct need need_of(enum registry_access access, struct text repository)
{
    switch (access) {
    case ACCESS_CATALOG:
        return (struct need){"registry", TEXT("catalog"), {"*", NULL}};
    case ACCESS_PULL:
        return (struct need){"repository", repository, {"pull", NULL}};
    case ACCESS_PUSH:
        return (struct need){"repository", repository, {"pull", "push"}};
    case ACCESS_METADATA_READ:
        return (struct need){"repository", repository, {"metadata_read", NULL}};
    case ACCESS_METADATA_WRITE:
        return (struct need){"repository", repository, {"metadata_write", NULL}};
    case ACCESS_DELETE:
        return (struct need){"repository", repository, {"delete", NULL}};
    case ACCESS_NONE:
    case ACCESS_BASE:
        break;
    }
    return (struct need){NULL, TEXT_NONE, {NULL, NULL}};
}

struct text registry_challenge_header(struct arena *arena, struct text login_server,
                                      enum registry_access access, struct text repository, struct text source,
                                      bool insufficient)
{
    struct need need = need_of(access, repository);
    struct buffer out = buffer_new(arena);
    buffer_format(&out, "Bearer realm=\"https://%.*s/oauth2/token\",service=\"%.*s\"", TEXT_ARG(login_server),
                  TEXT_ARG(login_server));
    if (need.type) {
        buffer_format(&out, ",scope=\"%s:%.*s:%s", need.type, TEXT_ARG(need.name), need.actions[0]);
        if (need.actions[1])
            buffer_format(&out, ",%s", need.actions[1]);
        if (source.base)
            buffer_format(&out, " repository:%.*s:pull", TEXT_ARG(source));
        buffer_char(&out, '"');
    }
    if (insufficient)
        buffer_string(&out, ",error=\"insufficient_scope\"");
    return buffer_done(&out);
}

static void add_detail(struct buffer *out, const char *type, struct text name, const char *action)
{
    json_begin_object(out);
    json_key_string(out, "Type", type);
    json_key_text(out, "Name", name);
    json_key_string(out, "Action", action);
    json_end_object(out);
}

static struct text detail_of(struct arena *arena, enum registry_access access, struct text repository,
                             struct text source)
{
    struct need need = need_of(access, repository);
    if (!need.type)
        return TEXT_NONE;
    struct buffer out = buffer_new(arena);
    json_begin_array(&out);
    for (size_t i = 0; i < 2 && need.actions[i]; i++)
        add_detail(&out, need.type, need.name, need.actions[i]);
    if (source.base)
        add_detail(&out, "repository", source, "pull");
    json_end_array(&out);
    return buffer_done(&out);
}

// The repository that the request would mount from: a token for the target alone would get it an upload.
static struct text mount_source(const struct registry_call *call, enum registry_access access)
{
    if (access != ACCESS_PUSH || call->request->method != HTTP_POST ||
        !http_query(call->request, "mount").base)
        return TEXT_NONE;
    struct text from = http_query(call->request, "from");
    return repository_name_fault(from) || text_equal(from, call->repository) ? TEXT_NONE : from;
}

void registry_challenge_for(struct registry_call *call, enum registry_access access)
{
    if (call->failed)
        return;
    struct text source = mount_source(call, access);
    registry_fail(call, 401, "UNAUTHORIZED", detail_of(call->arena, access, call->repository, source), "%s",
                  UNAUTHORIZED_MESSAGE);
    http_set_header(
        call->answer, "WWW-Authenticate",
        registry_challenge_header(call->arena, registry_login_server(call->arena, call->registry.login_key),
                                  access, call->repository, source, call->identity.kind != IDENTITY_NONE));
}

void registry_challenge(struct registry_call *call)
{
    registry_challenge_for(call, call->operation ? call->operation->access : ACCESS_BASE);
}

void registry_unauthorized(struct registry_call *call)
{
    registry_fail(call, 401, "UNAUTHORIZED", TEXT_NONE, "%s", UNAUTHORIZED_MESSAGE);
}
