// Reading links, and finding what they lead to.
#include "templates/link.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "templates/uri_parts.h"

static struct text member(const struct value *written, const char *name)
{
    return value_text(value_find(written, text_of(name)));
}

static struct text without_query(struct text uri)
{
    for (size_t i = 0; i < uri.length; i++)
        if (uri.base[i] == '?' || uri.base[i] == '#')
            return text_slice(uri, 0, i);
    return uri;
}

static bool read_uri(struct arena *arena, struct text uri, struct link *link, const char **why)
{
    struct uri_parts parts;
    *why = "the address is none";
    if (!uri_split(uri, &parts) || !uri_is_absolute(&parts))
        return false;
    *why = "an address with a user's name is not fetched";
    if (text_find(parts.authority, '@') >= 0)
        return false;
    link->query = parts.query;
    parts.query = parts.fragment = TEXT_NONE;
    link->uri = uri_write(arena, parts);
    return true;
}

static bool read_relative(struct arena *arena, struct text written, const struct link *base,
                          struct link *link, const char **why)
{
    struct uri_parts from, relative;
    *why = "relativePath is for templates that were fetched by a link themselves";
    if (!base || !uri_split(base->uri, &from))
        return false;
    *why = "relativePath is none";
    if (written.length == 0 || !uri_split(written, &relative) || relative.scheme.base ||
        relative.authority.base)
        return false;
    link->query = relative.query;
    relative.query = relative.fragment = TEXT_NONE;
    link->uri = uri_write(arena, uri_resolve(arena, &from, &relative));
    if (!link->query_string.base)
        link->query_string = base->query_string;
    return true;
}

bool link_read(struct arena *arena, const struct value *written, const struct link *base, struct link *link,
               const char **why)
{
    struct text uri = member(written, "uri"), relative = member(written, "relativePath");
    *link = (struct link){.query_string = member(written, "queryString"),
                          .content_version = member(written, "contentVersion")};
    if (link->query_string.length > 0 && link->query_string.base[0] == '?')
        link->query_string = text_slice(link->query_string, 1, link->query_string.length);
    if (member(written, "id").base)
        *why = "there are no template specs here";
    else if (uri.base && relative.base)
        *why = "it has both uri and relativePath";
    else
        return uri.base ? read_uri(arena, uri, link, why) : read_relative(arena, relative, base, link, why);
    return false;
}

struct text link_url(struct arena *arena, const struct link *link)
{
    struct buffer b = buffer_new(arena);
    buffer_text(&b, link->uri);
    if (link->query.length > 0) {
        buffer_char(&b, '?');
        buffer_text(&b, link->query);
    }
    if (link->query_string.length > 0) {
        buffer_char(&b, link->query.length > 0 ? '&' : '?');
        buffer_text(&b, link->query_string);
    }
    return buffer_done(&b);
}

static void put(struct arena *arena, struct value_member *members, size_t *count, const char *name,
                struct text text)
{
    if (text.base)
        members[(*count)++] =
            (struct value_member){.name = text_of(name), .value = value_string(arena, text)};
}

const struct value *link_written(struct arena *arena, const struct link *link)
{
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, 3);
    size_t count = 0;
    put(arena, members, &count, "uri",
        link->query.length > 0 ? TEXT_JOIN(arena, link->uri, TEXT("?"), link->query) : link->uri);
    put(arena, members, &count, "queryString", link->query_string);
    put(arena, members, &count, "contentVersion", link->content_version);
    return value_object(arena, members, count);
}

const struct value *link_shown(struct arena *arena, const struct link *link, const struct value *content)
{
    struct value_member *members = ARENA_ARRAY(arena, struct value_member, 2);
    struct text version = member(content, "contentVersion");
    size_t count = 0;
    put(arena, members, &count, "uri", link->uri);
    put(arena, members, &count, "contentVersion", version.base ? version : link->content_version);
    return value_object(arena, members, count);
}

struct text link_name(struct arena *arena, const struct value *written)
{
    static const char *const names[] = {"uri", "relativePath", "id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text name = member(written, names[i]);
        if (!name.base)
            continue;
        struct text shown = without_query(name);
        // A name and a password may stand before the host.
        ptrdiff_t scheme = text_search(shown, TEXT("://")), host = scheme + 3;
        struct text rest = scheme >= 0 ? text_slice(shown, (size_t)host, shown.length) : TEXT("");
        ptrdiff_t slash = text_find(rest, '/');
        ptrdiff_t at = text_rfind(text_slice(rest, 0, slash >= 0 ? (size_t)slash : rest.length), '@');
        if (at >= 0)
            shown = TEXT_JOIN(arena, text_slice(shown, 0, (size_t)host),
                              text_slice(rest, (size_t)at + 1, rest.length));
        return shown;
    }
    return TEXT("");
}

void link_fail(struct arena *arena, struct text name, bool parameters, const char *why,
               struct plan_error *error)
{
    char tracking[37];
    uuid_random(tracking);
    *error = (struct plan_error){
        .code = "InvalidContentLink",
        .message = arena_printf(arena,
                                "Unable to download deployment %s from '%.*s'. The tracking Id is '%s'. "
                                "Please see https://aka.ms/arm-deploy for usage details.",
                                parameters ? "parameters" : "content", TEXT_ARG(name), tracking),
        .detail = why ? arena_printf(arena, "The content was not downloaded: %s.", why) : NULL,
        .tracking = arena_strdup(arena, tracking),
    };
}

// Whether it is the version that was asked for.
static bool check_version(struct arena *arena, const struct link *link, const struct value *content,
                          bool parameters, struct plan_error *error)
{
    struct text found = member(content, "contentVersion");
    if (!link->content_version.base || text_equal(link->content_version, found))
        return true;
    *error = (struct plan_error){
        .code = "InvalidTemplate",
        .message = arena_printf(
            arena,
            "Deployment template validation failed: 'The content version contained in the %s '%.*s' does not "
            "match the content version found in the deployment object's %s property '%.*s'.'.",
            parameters ? "parameters" : "template", TEXT_ARG(found),
            parameters ? "ParametersLink" : "TemplateLink", TEXT_ARG(link->content_version)),
        .path = TEXT(""),
    };
    return false;
}

static enum plan_linked find(struct arena *arena, const struct plan_site *site, const struct value *written,
                             bool parameters, struct link **out, const struct value **content,
                             struct plan_error *error)
{
    struct link *link = ARENA_NEW(arena, struct link);
    const char *why = NULL;
    if (!link_read(arena, written, site->link, link, &why)) {
        link_fail(arena, link_name(arena, written), parameters, why, error);
        return LINK_REFUSED;
    }
    *out = link;
    enum plan_linked came =
        site->linked ? site->linked(site->context, arena, link, parameters, content, error) : LINK_REFUSED;
    if (came == LINK_REFUSED && !error->code)
        link_fail(arena, link->uri, parameters, NULL, error);
    if (came != LINK_THERE)
        return came;
    return check_version(arena, link, *content, parameters, error) ? LINK_THERE : LINK_REFUSED;
}

enum plan_linked link_fill(struct arena *arena, const struct plan_site *site, struct content *content,
                           struct linked *linked, struct plan_error *error)
{
    enum plan_linked came = LINK_THERE, values = LINK_THERE;
    const struct value *file;
    *linked = (struct linked){0};
    if (content->template_link) {
        came = find(arena, site, content->template_link, false, &linked->template_link, &content->template,
                    error);
        if (came == LINK_THERE)
            linked->template_shown = link_shown(arena, linked->template_link, content->template);
    }
    if (came != LINK_REFUSED && content->parameters_link) {
        values = find(arena, site, content->parameters_link, true, &linked->parameters_link, &file, error);
        if (values == LINK_THERE) {
            linked->parameters_shown = link_shown(arena, linked->parameters_link, file);
            content->parameters = content_parameters_of(arena, file, error);
            values = content->parameters ? LINK_THERE : LINK_REFUSED;
        }
    }
    if (came == LINK_REFUSED || values == LINK_REFUSED)
        return LINK_REFUSED;
    return came == LINK_AWAITED || values == LINK_AWAITED ? LINK_AWAITED : LINK_THERE;
}
