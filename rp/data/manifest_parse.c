// Reads manifests: kinds, the grammar of descriptors, and what is refused with which sentence.
#include "rp/data/manifest_parse.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <jansson.h>
#include <stdlib.h>

enum { MEDIA_TYPE_LIMIT = 255, PLATFORM_LIMIT = 64 };

struct media_type {
    const char *name;
    enum manifest_kind kind;
    bool named_inside; // its own "mediaType" member is mandatory (Docker)
};
static const struct media_type media_types[] = {
    {"application/vnd.oci.image.manifest.v1+json", MANIFEST_IMAGE, false},
    {"application/vnd.oci.image.index.v1+json", MANIFEST_INDEX, false},
    {"application/vnd.docker.distribution.manifest.v2+json", MANIFEST_IMAGE, true},
    {"application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_INDEX, true},
    {"application/vnd.oci.artifact.manifest.v1+json", MANIFEST_ARTIFACT, false},
    {"application/vnd.cncf.oras.artifact.manifest.v1+json", MANIFEST_ARTIFACT, false},
};

struct parse {
    struct arena *arena;
    const char *why;
};

#define REFUSE(parse, ...) ((parse)->why = arena_printf((parse)->arena, __VA_ARGS__), false)

static const struct media_type *media_type_find(struct text name)
{
    for (size_t i = 0; i < sizeof media_types / sizeof *media_types; i++)
        if (text_is(name, media_types[i].name))
            return &media_types[i];
    return NULL;
}

// Nesting is bounded before anything recursive sees the bytes.
static bool depth_is_bounded(struct text bytes)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.base[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > MANIFEST_DEPTH)
                return false;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static struct text string_of(struct arena *arena, const json_t *value)
{
    return text_copy(arena, (struct text){json_string_value(value), json_string_length(value)});
}

// An optional string member: absent, null and "" are the same.
static bool read_string(struct parse *parse, const json_t *object, const char *key, const char *where,
                        size_t limit, struct text *value)
{
    const json_t *member = json_object_get(object, key);
    *value = TEXT_NONE;
    if (member == NULL || json_is_null(member))
        return true;
    if (!json_is_string(member))
        return REFUSE(parse, "%s%s must be a string", where, key);
    if (json_string_length(member) > limit)
        return REFUSE(parse, "%s%s is longer than %zu bytes", where, key, limit);
    if (json_string_length(member) > 0)
        *value = string_of(parse->arena, member);
    return true;
}

static bool check_annotations(struct parse *parse, const json_t *object, const char *where)
{
    json_t *annotations = json_object_get(object, "annotations");
    if (annotations == NULL || json_is_null(annotations))
        return true;
    if (!json_is_object(annotations))
        return REFUSE(parse, "%sannotations must be an object of strings", where);
    const char *key;
    json_t *value;
    json_object_foreach(annotations, key, value)
    {
        if (!json_is_string(value))
            return REFUSE(parse, "%sannotations must be an object of strings", where);
    }
    return true;
}

static bool is_foreign_layer(struct text media_type)
{
    return text_search(media_type, TEXT(".foreign.")) >= 0 ||
           text_search(media_type, TEXT(".nondistributable.")) >= 0;
}

static bool read_urls(struct parse *parse, const json_t *object, const char *where, bool *any)
{
    const json_t *urls = json_object_get(object, "urls");
    *any = false;
    if (urls == NULL || json_is_null(urls))
        return true;
    if (!json_is_array(urls))
        return REFUSE(parse, "%surls must be an array of strings", where);
    for (size_t i = 0; i < json_array_size(urls); i++)
        if (!json_is_string(json_array_get(urls, i)))
            return REFUSE(parse, "%surls must be an array of strings", where);
    *any = json_array_size(urls) > 0;
    return true;
}

static bool read_platform(struct parse *parse, const json_t *object, const char *where,
                          struct manifest_descriptor *descriptor)
{
    const json_t *platform = json_object_get(object, "platform");
    if (platform == NULL || json_is_null(platform))
        return true;
    if (!json_is_object(platform))
        return REFUSE(parse, "%splatform must be an object", where);
    const char *inside = arena_printf(parse->arena, "%splatform.", where);
    return read_string(parse, platform, "architecture", inside, PLATFORM_LIMIT, &descriptor->architecture) &&
           read_string(parse, platform, "os", inside, PLATFORM_LIMIT, &descriptor->os);
}

// `name` is how the descriptor is called in a sentence: "config", "layers[3]".
static bool read_descriptor(struct parse *parse, const json_t *object, const char *name,
                            struct manifest_descriptor *descriptor)
{
    *descriptor = (struct manifest_descriptor){0};
    if (!json_is_object(object))
        return REFUSE(parse, "%s must be a descriptor", name);
    const char *where = arena_printf(parse->arena, "%s.", name);
    const json_t *digest = json_object_get(object, "digest"), *size = json_object_get(object, "size");
    enum digest_algorithm algorithm;
    bool has_urls;

    if (!json_is_string(digest))
        return REFUSE(parse, "%sdigest must be a string", where);
    if (!digest_parse((struct text){json_string_value(digest), json_string_length(digest)}, &algorithm))
        return REFUSE(parse, "%sdigest is not a sha256 or sha512 digest", where);
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return REFUSE(parse, "%ssize must be an integer of at least 0", where);
    if (!read_string(parse, object, "mediaType", where, MEDIA_TYPE_LIMIT, &descriptor->media_type))
        return false;
    if (descriptor->media_type.base == NULL)
        return REFUSE(parse, "%smediaType must not be empty", where);
    if (!read_urls(parse, object, where, &has_urls) || !check_annotations(parse, object, where) ||
        !read_platform(parse, object, where, descriptor))
        return false;
    descriptor->digest = string_of(parse->arena, digest);
    descriptor->size = json_integer_value(size);
    descriptor->foreign = has_urls && is_foreign_layer(descriptor->media_type);
    return true;
}

static int compare_descriptors(const void *a, const void *b)
{
    const struct manifest_descriptor *x = a, *y = b;
    return strcmp(x->digest.base, y->digest.base); // text_copy ends them with a NUL
}

// Orders by digest and drops repetitions. Lists are ordered for the sake of one lock order.
static bool make_distinct(struct parse *parse, struct manifest_descriptor *list, size_t *count)
{
    if (*count == 0)
        return true;
    qsort(list, *count, sizeof *list, compare_descriptors);
    size_t kept = 0;
    for (size_t i = 1; i < *count; i++) {
        if (!text_equal(list[kept].digest, list[i].digest)) {
            list[++kept] = list[i];
            continue;
        }
        if (list[kept].size != list[i].size)
            return REFUSE(parse, "two sizes are given for %s", list[i].digest.base);
        list[kept].foreign = list[kept].foreign && list[i].foreign;
    }
    *count = kept + 1;
    return true;
}

// Appends the array member's descriptors to the list, which has room for them. null is an empty array (Go's
// nil).
static bool read_descriptors(struct parse *parse, const json_t *root, const char *key, bool required,
                             struct manifest_descriptor *list, size_t *count)
{
    const json_t *array = json_object_get(root, key);
    if (array == NULL && required)
        return REFUSE(parse, "%s is missing", key);
    if (array == NULL || json_is_null(array))
        return true;
    if (!json_is_array(array))
        return REFUSE(parse, "%s must be an array", key);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *name = arena_printf(parse->arena, "%s[%zu]", key, i);
        if (!read_descriptor(parse, json_array_get(array, i), name, &list[*count]))
            return false;
        ++*count;
    }
    return true;
}

// One document that reads as two kinds would mean one thing to us and another to a client.
static bool check_members(struct parse *parse, const json_t *root, enum manifest_kind kind)
{
    static const char *const forbidden[][5] = {
        [MANIFEST_IMAGE] = {"manifests", "fsLayers", "history", "blobs"},
        [MANIFEST_INDEX] = {"config", "layers", "fsLayers", "history", "blobs"},
        [MANIFEST_ARTIFACT] = {"config", "layers", "manifests", "fsLayers", "history"},
    };
    for (size_t i = 0; i < 5 && forbidden[kind][i]; i++)
        if (json_object_get(root, forbidden[kind][i]) != NULL)
            return REFUSE(parse, "%s does not belong in a manifest of this media type", forbidden[kind][i]);
    return true;
}

// Which kind: the header and the manifest's own mediaType must agree where both are there.
static const struct media_type *choose_media_type(struct parse *parse, struct text content_type,
                                                  const json_t *root)
{
    struct text inside;
    ptrdiff_t parameters = text_find(content_type, ';');
    if (parameters >= 0)
        content_type.length = (size_t)parameters;
    content_type = text_trim(content_type);
    if (json_is_integer(json_object_get(root, "schemaVersion")) &&
        json_integer_value(json_object_get(root, "schemaVersion")) == 1) {
        parse->why = "schema 1 manifests are not supported";
        return NULL;
    }
    if (!read_string(parse, root, "mediaType", "", MEDIA_TYPE_LIMIT, &inside))
        return NULL;
    if (content_type.length > 0 && inside.base && !text_equal(content_type, inside)) {
        parse->why = "the manifest's mediaType differs from the request's Content-Type";
        return NULL;
    }
    struct text name = content_type.length > 0 ? content_type : inside;
    if (name.length == 0)
        name = text_of(json_object_get(root, "manifests") ? media_types[1].name : media_types[0].name);
    const struct media_type *type = media_type_find(name);
    if (type == NULL)
        parse->why = text_search(name, TEXT("docker.distribution.manifest.v1+")) >= 0
                         ? "schema 1 manifests are not supported"
                         : "the media type is not one of a manifest";
    else if (type->named_inside && inside.base == NULL)
        parse->why = "mediaType is missing";
    return parse->why ? NULL : type;
}

static bool read_subject(struct parse *parse, const json_t *root, struct manifest *manifest)
{
    const json_t *subject = json_object_get(root, "subject");
    struct manifest_descriptor descriptor;
    if (subject == NULL || json_is_null(subject))
        return true;
    if (!read_descriptor(parse, subject, "subject", &descriptor))
        return false;
    manifest->subject = descriptor.digest;
    return true;
}

static bool read_annotations(struct parse *parse, const json_t *root, struct manifest *manifest)
{
    const json_t *annotations = json_object_get(root, "annotations");
    if (!check_annotations(parse, root, ""))
        return false;
    if (!json_is_object(annotations) || json_object_size(annotations) == 0)
        return true;
    char *text = json_dumps(annotations, JSON_COMPACT);
    if (text == NULL)
        return REFUSE(parse, "annotations must be an object of strings");
    manifest->annotations = text_copy(parse->arena, text_of(text));
    free(text);
    return true;
}

static bool read_image(struct parse *parse, const json_t *root, struct manifest *manifest)
{
    manifest->blobs = ARENA_ARRAY(parse->arena, struct manifest_descriptor,
                                  json_array_size(json_object_get(root, "layers")) + 1);
    if (!read_descriptor(parse, json_object_get(root, "config"), "config", &manifest->blobs[0]))
        return false;
    manifest->blob_count = 1;
    manifest->blobs[0].foreign = false;
    manifest->config_digest = manifest->blobs[0].digest;
    manifest->config_media_type = manifest->blobs[0].media_type;
    if (!read_descriptors(parse, root, "layers", true, manifest->blobs, &manifest->blob_count))
        return false;
    if (manifest->artifact_type.base == NULL)
        manifest->artifact_type = manifest->config_media_type;
    return make_distinct(parse, manifest->blobs, &manifest->blob_count);
}

static bool read_list(struct parse *parse, const json_t *root, const char *key, bool required,
                      struct manifest_descriptor **list, size_t *count)
{
    *list = ARENA_ARRAY(parse->arena, struct manifest_descriptor,
                        json_array_size(json_object_get(root, key)) + 1);
    return read_descriptors(parse, root, key, required, *list, count) && make_distinct(parse, *list, count);
}

static bool read_root(struct parse *parse, struct text content_type, const json_t *root,
                      struct manifest *manifest)
{
    if (!json_is_object(root))
        return REFUSE(parse, "a manifest must be a JSON object");
    const struct media_type *type = choose_media_type(parse, content_type, root);
    if (type == NULL)
        return false;
    const json_t *version = json_object_get(root, "schemaVersion");
    if (type->kind != MANIFEST_ARTIFACT && (!json_is_integer(version) || json_integer_value(version) != 2))
        return REFUSE(parse, "schemaVersion must be 2");
    manifest->kind = type->kind;
    manifest->media_type = text_of(type->name);
    if (!check_members(parse, root, type->kind) || !read_subject(parse, root, manifest) ||
        !read_annotations(parse, root, manifest) ||
        !read_string(parse, root, "artifactType", "", MEDIA_TYPE_LIMIT, &manifest->artifact_type))
        return false;
    switch (type->kind) {
    case MANIFEST_IMAGE:
        return read_image(parse, root, manifest);
    case MANIFEST_INDEX:
        return read_list(parse, root, "manifests", true, &manifest->children, &manifest->child_count);
    case MANIFEST_ARTIFACT:
        return read_list(parse, root, "blobs", false, &manifest->blobs, &manifest->blob_count);
    }
    return false;
}

bool manifest_parse(struct arena *arena, struct text content_type, struct text bytes,
                    struct manifest *manifest, const char **why)
{
    struct parse parse = {.arena = arena};
    *manifest = (struct manifest){0};
    if (bytes.length > MANIFEST_LIMIT) {
        *why = "a manifest must not be larger than 4 MiB";
        return false;
    }
    if (!depth_is_bounded(bytes)) {
        *why = "the manifest is nested deeper than 64 levels";
        return false;
    }
    json_t *root = bytes.length ? json_loadb(bytes.base, bytes.length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (root == NULL) {
        *why = "the manifest is not well-formed JSON";
        return false;
    }
    bool good = read_root(&parse, content_type, root, manifest);
    json_decref(root);
    *why = parse.why;
    return good;
}

bool manifest_config_has_platform(struct text config_media_type)
{
    return text_is(config_media_type, "application/vnd.oci.image.config.v1+json") ||
           text_is(config_media_type, "application/vnd.docker.container.image.v1+json");
}

void manifest_config_platform(struct arena *arena, struct text config, struct text *architecture,
                              struct text *os)
{
    struct parse parse = {.arena = arena};
    *architecture = *os = TEXT_NONE;
    if (config.length == 0 || !depth_is_bounded(config))
        return;
    // What a client puts into its config is its own affair: a config that is no good JSON just has no
    // platform.
    json_t *root = json_loadb(config.base, config.length, 0, NULL);
    if (json_is_object(root)) {
        read_string(&parse, root, "architecture", "", PLATFORM_LIMIT, architecture);
        read_string(&parse, root, "os", "", PLATFORM_LIMIT, os);
    }
    json_decref(root);
}
