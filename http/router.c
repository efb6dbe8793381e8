// The router: patterns made of operation tables, and which of them a request's segments fit.
//
// Of several that fit, the one whose literals stand further to the right wins: ARM's rule that the last
// "/providers/" of an id says what the resource is, and the same as "more literals" wherever one pattern is a
// special case of the other.
#include "http/operation.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <stdlib.h>

enum { PATTERN_SEGMENTS = 24, FIT_HALF = 32 };

struct piece {
    enum { LITERAL, ONE, MANY } kind;
    struct text name; // the literal, or the parameter's name
};

struct pattern {
    const struct http_operation *operation;
    struct piece pieces[PATTERN_SEGMENTS];
    size_t count;
    ptrdiff_t many; // index of the {name*}, or -1
    size_t least;   // segments it takes at least
};

struct http_router {
    bool ignore_case;
    struct pattern *patterns;
    size_t count, capacity;
};

// The request's segments as this router sees them.
struct view {
    const struct http_request *request;
    unsigned char at[HTTP_SEGMENTS]; // index into request->segments
    size_t count;
};

// How well a pattern fits: literal and single segments, one bit each, the last segment highest (bit_of).
struct fit {
    uint64_t literal, single;
};

struct http_router *http_router_new(bool ignore_case)
{
    struct http_router *router = xcalloc(1, sizeof *router);
    router->ignore_case = ignore_case;
    return router;
}

static struct piece piece_of(struct text t, bool *zero)
{
    if (t.length < 3 || t.base[0] != '{' || t.base[t.length - 1] != '}')
        return (struct piece){LITERAL, t};
    t = text_slice(t, 1, t.length - 1);
    if (t.base[t.length - 1] != '*')
        return (struct piece){ONE, t};
    *zero = text_ends(t, "**");
    return (struct piece){MANY, text_slice(t, 0, t.length - (*zero ? 2 : 1))};
}

static void compile(struct pattern *p, const struct http_operation *operation, bool skip_empty)
{
    struct text rest = text_of(operation->path + 1);
    p->operation = operation;
    p->many = -1;
    for (bool more = true; more;) {
        ptrdiff_t slash = text_find(rest, '/');
        struct text t = slash < 0 ? rest : text_slice(rest, 0, (size_t)slash);
        more = slash >= 0;
        if (more)
            rest = text_slice(rest, (size_t)slash + 1, rest.length);
        if (t.length == 0 && skip_empty)
            continue;
        bool zero = false;
        struct piece piece = piece_of(t, &zero);
        // Tables are ours: one that breaks the rules must not start.
        if (p->count == PATTERN_SEGMENTS || (piece.kind == MANY && p->many >= 0))
            abort();
        if (piece.kind == MANY)
            p->many = (ptrdiff_t)p->count;
        p->least += zero ? 0 : 1;
        p->pieces[p->count++] = piece;
    }
}

void http_router_add(struct http_router *router, const struct http_operation *operation)
{
    if (operation->path[0] != '/')
        abort();
    if (router->count == router->capacity) {
        router->capacity = router->capacity ? router->capacity * 2 : 32;
        router->patterns = xrealloc(router->patterns, router->capacity * sizeof *router->patterns);
    }
    struct pattern *p = &router->patterns[router->count++];
    *p = (struct pattern){0};
    compile(p, operation, router->ignore_case);
}

// Neither empty nor a step up or sideways, also not inside: an escaped slash may stand in a decoded segment.
static bool is_name(struct text segment)
{
    for (;;) {
        ptrdiff_t slash = text_find(segment, '/');
        struct text part = slash < 0 ? segment : text_slice(segment, 0, (size_t)slash);
        if (part.length == 0 || text_is(part, ".") || text_is(part, ".."))
            return false;
        if (slash < 0)
            return true;
        segment = text_slice(segment, (size_t)slash + 1, segment.length);
    }
}

static struct view view_of(const struct http_router *router, const struct http_request *request)
{
    struct view view = {.request = request};
    for (size_t i = 0; i < request->segment_count; i++) {
        if (!router->ignore_case || request->segments[i].length > 0)
            view.at[view.count++] = (unsigned char)i;
    }
    return view;
}

static struct text segment_of(const struct view *view, size_t i)
{
    return view->request->segments[view->at[i]];
}

// The bit of the segment at `s` of `count`. A pattern's literals are near one end or the other, so that where
// there are more segments than bits, those in the middle need none of their own.
static uint64_t bit_of(size_t s, size_t count)
{
    size_t behind = count - 1 - s;
    return UINT64_C(1) << (behind < FIT_HALF ? 2 * FIT_HALF - 1 - behind : s < FIT_HALF ? s : FIT_HALF - 1);
}

static bool fits(const struct http_router *router, const struct pattern *p, const struct view *view,
                 struct fit *fit)
{
    if (view->count < p->least || (p->many < 0 && view->count != p->count))
        return false;
    size_t taken = p->many < 0 ? 0 : view->count + 1 - p->count;
    *fit = (struct fit){0, 0};
    size_t s = view->count;
    // From the right, where patterns differ most.
    for (size_t i = p->count; i-- > 0;) {
        const struct piece *piece = &p->pieces[i];
        size_t width = piece->kind == MANY ? taken : 1;
        for (size_t k = 0; k < width; k++) {
            if (s == 0)
                return false;
            struct text segment = segment_of(view, --s);
            if (piece->kind == LITERAL) {
                if (!(router->ignore_case ? text_equal_nocase(segment, piece->name)
                                          : text_equal(segment, piece->name)))
                    return false;
                fit->literal |= bit_of(s, view->count);
            } else if (!router->ignore_case && !is_name(segment)) {
                return false;
            }
            if (piece->kind != MANY)
                fit->single |= bit_of(s, view->count);
        }
    }
    return true;
}

// Segments joined by '/'. Without escapes and empty ones between, that is a part of the path as it stands.
static struct text joined(const struct view *view, size_t first, size_t count)
{
    if (count == 0)
        return TEXT("");
    struct text start = segment_of(view, first), last = segment_of(view, first + count - 1);
    bool contiguous = true;
    for (size_t i = 1; i < count; i++) {
        struct text before = segment_of(view, first + i - 1);
        contiguous = contiguous && before.base + before.length + 1 == segment_of(view, first + i).base &&
                     before.base[before.length] == '/';
    }
    if (contiguous)
        return (struct text){start.base, (size_t)(last.base + last.length - start.base)};
    struct buffer buffer = buffer_new(view->request->arena);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_char(&buffer, '/');
        buffer_text(&buffer, segment_of(view, first + i));
    }
    return buffer_done(&buffer);
}

static void fill(const struct pattern *p, const struct view *view, struct http_route *route)
{
    size_t s = 0;
    route->operation = p->operation;
    for (size_t i = 0; i < p->count; i++) {
        const struct piece *piece = &p->pieces[i];
        size_t width = piece->kind == MANY ? view->count + 1 - p->count : 1;
        if (piece->kind != LITERAL && route->parameter_count < HTTP_PARAMETERS) {
            size_t n = route->parameter_count++;
            route->parameters[n].name = piece->name.base;
            route->parameters[n].name_length = piece->name.length;
            route->parameters[n].value = joined(view, s, width);
            route->parameters[n].first = s < view->count ? view->at[s] : view->request->segment_count;
            route->parameters[n].count = width == 0 ? 0 : (size_t)(view->at[s + width - 1] - view->at[s]) + 1;
        }
        s += width;
    }
}

void http_router_find(const struct http_router *router, const struct http_request *request,
                      struct http_route *route)
{
    struct view view = view_of(router, request);
    const struct pattern *best = NULL;
    struct fit best_fit = {0, 0};
    *route = (struct http_route){0};
    for (size_t i = 0; i < router->count; i++) {
        const struct pattern *p = &router->patterns[i];
        struct fit fit;
        if (!fits(router, p, &view, &fit))
            continue;
        unsigned method = p->operation->method;
        unsigned answers = method == HTTP_GET ? HTTP_GET | HTTP_HEAD : method;
        route->allowed |= answers;
        if (!(answers & (unsigned)request->method))
            continue;
        bool same = best != NULL && fit.literal == best_fit.literal && fit.single == best_fit.single;
        bool better = best == NULL || fit.literal > best_fit.literal ||
                      (fit.literal == best_fit.literal && fit.single > best_fit.single) ||
                      (same && method == (unsigned)request->method &&
                       best->operation->method != (enum http_method)method);
        if (better) {
            best = p;
            best_fit = fit;
        }
    }
    if (best != NULL)
        fill(best, &view, route);
}

struct text http_parameter(const struct http_route *route, const char *name)
{
    for (size_t i = 0; i < route->parameter_count; i++) {
        if (text_is((struct text){route->parameters[i].name, route->parameters[i].name_length}, name))
            return route->parameters[i].value;
    }
    return TEXT_NONE;
}

struct text http_allow(struct arena *arena, unsigned methods)
{
    static const enum http_method order[] = {HTTP_GET,   HTTP_HEAD,   HTTP_PUT,    HTTP_POST,
                                             HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS};
    struct buffer buffer = buffer_new(arena);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (!(methods & (unsigned)order[i]))
            continue;
        if (buffer.length > 0)
            buffer_char(&buffer, ',');
        buffer_string(&buffer, http_method_name(order[i]));
    }
    return buffer_done(&buffer);
}
