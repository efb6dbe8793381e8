// What the URL says: subscription, group, the scope that the decision is about, and what is wrong with a path
// that no operation has.
#include "arm/door_parts.h"
#include "arm/types.h"

#include "base/arena.h"

// The segments without the empty ones: runs of "/" and a trailing one count for nothing (az-cli 1).
static size_t segments_of(const struct http_request *request, struct text *segments)
{
    size_t count = 0;
    for (size_t i = 0; i < request->segment_count; i++)
        if (request->segments[i].length > 0)
            segments[count++] = request->segments[i];
    return count;
}

bool door_part_segments(struct http_request *request)
{
    struct text parted[HTTP_SEGMENTS];
    size_t count = 0;
    for (size_t i = 0; i < request->segment_count; i++) {
        struct text rest = request->segments[i];
        bool whole = text_find(rest, '/') < 0;
        for (bool more = true; more;) {
            ptrdiff_t slash = text_find(rest, '/');
            more = slash >= 0;
            struct text part = more ? text_slice(rest, 0, (size_t)slash) : rest;
            if (count == HTTP_SEGMENTS || (!whole && (text_is(part, ".") || text_is(part, ".."))))
                return false;
            parted[count++] = part;
            if (more)
                rest = text_slice(rest, (size_t)slash + 1, rest.length);
        }
    }
    memcpy(request->segments, parted, count * sizeof *parted);
    request->segment_count = count;
    return true;
}

static bool segments_sound(struct arm_call *call)
{
    const struct http_request *request = call->request;
    for (size_t i = 0; i < request->segment_count; i++) {
        struct text s = request->segments[i];
        bool sound = text_is_utf8(s) && text_find(s, '/') < 0;
        for (size_t c = 0; sound && c < s.length; c++)
            sound = (unsigned char)s.base[c] >= 0x20 && s.base[c] != 0x7f;
        if (!sound) {
            arm_fail(call, ARM_BAD_REQUEST, "the path has a segment with characters that are not allowed");
            return false;
        }
    }
    for (size_t i = 0; i < request->query_count; i++)
        if (!text_is_utf8(request->query[i].name) || !text_is_utf8(request->query[i].value)) {
            arm_fail(call, ARM_BAD_REQUEST, "the query is not UTF-8");
            return false;
        }
    return true;
}

bool door_read_path(struct arm_call *call)
{
    if (!segments_sound(call))
        return false;
    struct text segments[HTTP_SEGMENTS];
    size_t count = segments_of(call->request, segments);
    if (count >= 2 && text_is_nocase(segments[0], "subscriptions")) {
        call->subscription_id = text_lower(call->arena, segments[1]);
        if (count >= 4 && text_is_nocase(segments[2], "resourceGroups"))
            call->group = segments[3];
    }
    call->scope = door_scope(call->arena, call->request);
    return true;
}

// The last "providers" that is a word of the id and not a name: a group or a registry may be called so. Words
// and names take turns: subscriptions/{id}, resourceGroups/{name}, providers/{namespace}, {type}/{name}.
static size_t last_providers(const struct text *segments, size_t count)
{
    size_t last = count;
    for (size_t i = 0; i < count; i += 2)
        if (text_is_nocase(segments[i], "providers"))
            last = i;
    return last;
}

// How many of the segments name the thing that is asked about. An odd one at the end is a collection's type
// or an action's name: the decision is about what stands before it (arm-core 3.2).
static size_t scope_length(const struct text *segments, size_t count)
{
    size_t providers = last_providers(segments, count);
    if (providers == count) // no provider: pairs from the start
        return count - count % 2;
    size_t behind = count - providers; // "providers", namespace, type, name, …
    if (behind <= 2 || (behind == 3 && text_is_nocase(segments[count - 1], "register")) ||
        (behind == 3 && text_is_nocase(segments[count - 1], "unregister")))
        return providers; // the provider itself: its subscription
    return count - behind % 2;
}

bool door_is_item(const struct http_request *request)
{
    struct text segments[HTTP_SEGMENTS];
    size_t count = segments_of(request, segments);
    size_t providers = last_providers(segments, count);
    return count - providers >= 4 && (count - providers) % 2 == 0;
}

struct text door_scope(struct arena *arena, const struct http_request *request)
{
    struct text segments[HTTP_SEGMENTS];
    size_t all = segments_of(request, segments);
    size_t count = scope_length(segments, all);
    if (count == 0)
        return TEXT("/");
    struct buffer b = buffer_new(arena);
    for (size_t i = 0; i < count; i++) {
        buffer_char(&b, '/');
        buffer_text(&b, segments[i]);
    }
    return buffer_done(&b);
}

bool door_path_type(struct arena *arena, const struct http_request *request, struct text *namespace_name,
                    struct text *type)
{
    struct text segments[HTTP_SEGMENTS];
    size_t count = segments_of(request, segments);
    size_t providers = last_providers(segments, count);
    if (providers + 1 >= count)
        return false;
    *namespace_name = segments[providers + 1];
    struct buffer b = buffer_new(arena);
    for (size_t i = providers + 2; i < count; i += 2) {
        if (b.length > 0)
            buffer_char(&b, '/');
        buffer_text(&b, segments[i]);
    }
    *type = buffer_done(&b);
    return true;
}

bool door_path_name(struct arena *arena, const struct http_request *request, struct text *name)
{
    if (!door_is_item(request))
        return false;
    struct text segments[HTTP_SEGMENTS];
    size_t count = segments_of(request, segments);
    struct buffer b = buffer_new(arena);
    for (size_t i = last_providers(segments, count) + 3; i < count; i += 2) {
        if (b.length > 0)
            buffer_char(&b, '/');
        buffer_text(&b, segments[i]);
    }
    *name = buffer_done(&b);
    return true;
}

void door_fail_route(struct arm_call *call)
{
    const struct http_request *request = call->request;
    if (call->route.allowed) {
        arm_fail(call, ARM_METHOD_NOT_SUPPORTED, http_method_name(request->method));
        struct text allow = http_allow(call->arena, call->route.allowed);
        call->failure->allow = text_cstr(call->arena, allow);
        return;
    }
    struct text namespace_name, type;
    if (!door_path_type(call->arena, request, &namespace_name, &type)) {
        arm_fail(call, ARM_URL_NOT_FOUND, arm_url(call, text_cstr(call->arena, request->path)));
        return;
    }
    const char *canonical;
    if (!arm_namespace_known(namespace_name, &canonical))
        arm_fail(call, ARM_INVALID_NAMESPACE, TEXT_ARG(namespace_name));
    else
        arm_fail(call, ARM_INVALID_TYPE, TEXT_ARG(type), TEXT_ARG(text_of(canonical)),
                 TEXT_ARG(text_of(call->api_version)));
}
