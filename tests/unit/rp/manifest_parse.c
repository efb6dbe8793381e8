// The grammar of manifests, and hostile ones.
#include "rp/data/manifest_parse.h"

#include "base/arena.h"

#include <check.h>
#include <stdlib.h>

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define D(digest, size) "{\"mediaType\":\"x/y\",\"digest\":\"" digest "\",\"size\":" size "}"
#define IMAGE "application/vnd.oci.image.manifest.v1+json"
#define INDEX "application/vnd.oci.image.index.v1+json"
#define DOCKER "application/vnd.docker.distribution.manifest.v2+json"
#define LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define ARTIFACT "application/vnd.oci.artifact.manifest.v1+json"
#define IMAGE_WITH(members) "{\"schemaVersion\":2,\"config\":" D(A, "1") "," members "}"

static const struct {
    const char *type, *body, *why; // why NULL: good; else a part of the sentence
} cases[] = {
    {IMAGE, IMAGE_WITH("\"layers\":[" D(B, "2") "]"), NULL},
    {NULL, IMAGE_WITH("\"layers\":[" D(B, "2") "]"), NULL},
    {IMAGE "; charset=utf-8", IMAGE_WITH("\"layers\":[]"), NULL},
    {IMAGE, IMAGE_WITH("\"layers\":null"), NULL},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"mediaType\":\"" IMAGE "\""), NULL},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"annotations\":{\"a\":\"b\"},\"subject\":" D(B, "3")), NULL},
    {DOCKER, IMAGE_WITH("\"layers\":[],\"mediaType\":\"" DOCKER "\""), NULL},
    {INDEX, "{\"schemaVersion\":2,\"manifests\":[" D(A, "1") "]}", NULL},
    {NULL, "{\"schemaVersion\":2,\"manifests\":[]}", NULL},
    {LIST, "{\"schemaVersion\":2,\"mediaType\":\"" LIST "\",\"manifests\":[]}", NULL},
    {ARTIFACT, "{\"mediaType\":\"" ARTIFACT "\",\"artifactType\":\"a/b\",\"blobs\":[" D(A, "1") "]}", NULL},
    {ARTIFACT, "{}", NULL},
    {IMAGE, "", "JSON"},
    {IMAGE, "{", "JSON"},
    {IMAGE, "[]", "object"},
    {IMAGE, "null", "JSON"},
    {IMAGE, "\xef\xbb\xbf{}", "JSON"},
    {IMAGE, "{\"schemaVersion\":2,\"schemaVersion\":2}", "JSON"},
    {IMAGE, IMAGE_WITH("\"layers\":[]") "x", "JSON"},
    {IMAGE, "{\"a\":\"\xff\"}", "JSON"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"annotations\":{\"a\":\"\\u0000\"}"), "JSON"},
    {IMAGE, "{\"schemaVersion\":2,\"layers\":[]}", "config must be"},
    {IMAGE, IMAGE_WITH("\"x\":1"), "layers is missing"},
    {IMAGE, IMAGE_WITH("\"layers\":{}"), "layers must be an array"},
    {IMAGE, IMAGE_WITH("\"layers\":[1]"), "layers[0] must be"},
    {IMAGE, IMAGE_WITH("\"layers\":[" D(B, "-1") "]"), "layers[0].size"},
    {IMAGE, IMAGE_WITH("\"layers\":[" D(B, "1.0") "]"), "layers[0].size"},
    {IMAGE, IMAGE_WITH("\"layers\":[" D(B, "\"1\"") "]"), "layers[0].size"},
    {IMAGE, IMAGE_WITH("\"layers\":[" D(B, "99999999999999999999") "]"), "JSON"},
    {IMAGE, IMAGE_WITH("\"layers\":[" D("sha256:AA", "1") "]"), "layers[0].digest"},
    {IMAGE, IMAGE_WITH("\"layers\":[" D("md5:aa", "1") "]"), "layers[0].digest"},
    {IMAGE, IMAGE_WITH("\"layers\":[{\"digest\":\"" B "\",\"size\":1}]"), "layers[0].mediaType"},
    {IMAGE, IMAGE_WITH("\"layers\":[{\"mediaType\":7,\"digest\":\"" B "\",\"size\":1}]"),
     "layers[0].mediaType"},
    {IMAGE, IMAGE_WITH("\"layers\":[" D(A, "7") "]"), "two sizes"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"manifests\":[]"), "does not belong"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"fsLayers\":[]"), "does not belong"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"annotations\":[]"), "annotations"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"annotations\":{\"a\":1}"), "annotations"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"subject\":\"" A "\""), "subject"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"artifactType\":1"), "artifactType"},
    {IMAGE, IMAGE_WITH("\"layers\":[],\"mediaType\":\"" INDEX "\""), "differs"},
    {INDEX, IMAGE_WITH("\"layers\":[],\"manifests\":[]"), "does not belong"},
    {INDEX, "{\"schemaVersion\":2}", "manifests is missing"},
    {INDEX,
     "{\"schemaVersion\":2,\"manifests\":[{\"platform\":1,\"mediaType\":\"x/y\",\"digest\":\"" A
     "\",\"size\":1}]}",
     "platform"},
    {INDEX, "{\"manifests\":[]}", "schemaVersion"},
    {INDEX, "{\"schemaVersion\":\"2\",\"manifests\":[]}", "schemaVersion"},
    {DOCKER, IMAGE_WITH("\"layers\":[]"), "mediaType is missing"},
    {NULL, "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1"},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1}", "schema 1"},
    {"application/vnd.docker.distribution.manifest.v1+json", "{}", "schema 1"},
    {"application/json", "{}", "media type"},
    {"text/plain", IMAGE_WITH("\"layers\":[]"), "media type"},
};

START_TEST(grammar)
{
    struct arena *arena = arena_new();
    struct manifest manifest;
    const char *why = NULL;
    bool good = manifest_parse(arena, text_of(cases[_i].type), text_of(cases[_i].body), &manifest, &why);
    ck_assert_msg(good == (cases[_i].why == NULL), "%s: %s", cases[_i].body, why ? why : "accepted");
    if (cases[_i].why)
        ck_assert_msg(why && strstr(why, cases[_i].why), "%s: %s", cases[_i].body, why ? why : "(none)");
    arena_free(arena);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    struct arena *arena = arena_new();
    struct manifest manifest;
    const char *why = NULL;
    size_t length = 3 << 20;
    char *deep = arena_alloc(arena, length);
    memset(deep, '[', length);
    ck_assert(!manifest_parse(arena, text_of(IMAGE), (struct text){deep, length}, &manifest, &why));
    ck_assert_ptr_nonnull(strstr(why, "64 levels"));
    // Brackets inside strings nest nothing.
    char text[300] = "{\"schemaVersion\":2,\"manifests\":[],\"annotations\":{\"a\":\"\\\"";
    memset(text + strlen(text), '[', 100);
    strcat(text, "\"}}");
    ck_assert_msg(manifest_parse(arena, text_of(INDEX), text_of(text), &manifest, &why), "%s", why);
    char *large = arena_alloc(arena, MANIFEST_LIMIT + 1);
    memset(large, ' ', MANIFEST_LIMIT + 1);
    ck_assert(
        !manifest_parse(arena, text_of(IMAGE), (struct text){large, MANIFEST_LIMIT + 1}, &manifest, &why));
    ck_assert_ptr_nonnull(strstr(why, "4 MiB"));
    arena_free(arena);
}
END_TEST

START_TEST(what_is_read)
{
    struct arena *arena = arena_new();
    struct manifest manifest;
    const char *why = NULL;
    const char *body = IMAGE_WITH("\"layers\":[" D(B, "2") "," D(B, "2") "," D(
        A, "1") ",{\"mediaType\":\"application/vnd.oci.image.layer.nondistributable.v1.tar\",\"size\":5,"
                "\"digest\":\"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\","
                "\"urls\":[\"https://x\"]}],\"subject\":" D(B, "9"));
    ck_assert_msg(manifest_parse(arena, text_of(IMAGE), text_of(body), &manifest, &why), "%s", why);
    ck_assert_uint_eq(manifest.blob_count, 3);
    ck_assert_str_eq(manifest.blobs[0].digest.base, A);
    ck_assert(manifest.blobs[2].foreign && !manifest.blobs[1].foreign);
    ck_assert(text_is(manifest.subject, B) && text_is(manifest.config_digest, A));
    ck_assert(text_is(manifest.artifact_type, "x/y") && text_is(manifest.media_type, IMAGE));
    struct text architecture, os;
    manifest_config_platform(arena, TEXT("{\"architecture\":\"amd64\",\"os\":\"linux\"}"), &architecture,
                             &os);
    ck_assert(text_is(architecture, "amd64") && text_is(os, "linux"));
    manifest_config_platform(arena, TEXT("{\"architecture\":7,\"os\":\"linux\"}"), &architecture, &os);
    ck_assert_ptr_null(architecture.base);
    manifest_config_platform(arena, TEXT("not json"), &architecture, &os);
    ck_assert_ptr_null(os.base);
    arena_free(arena);
}
END_TEST

// Whatever a byte is changed to, the reader answers, and reads nothing that is not there (run under ASan).
START_TEST(mutations)
{
    const char *body =
        IMAGE_WITH("\"layers\":[" D(B, "2") "],\"annotations\":{\"a\":\"b\"},\"subject\":" D(B, "9"));
    size_t length = strlen(body);
    char *copy = xmalloc(length);
    unsigned state = 12345;
    for (int turn = 0; turn < 20000; turn++) {
        struct arena *arena = arena_new();
        struct manifest manifest;
        const char *why;
        memcpy(copy, body, length);
        for (int i = 0; i < 3; i++) {
            state = state * 1103515245 + 12345;
            copy[(state >> 8) % length] = (char)(state >> 24);
        }
        manifest_parse(arena, text_of(IMAGE), (struct text){copy, length - state % 7}, &manifest, &why);
        arena_free(arena);
    }
    free(copy);
}
END_TEST

Suite *suite_manifest_parse(void);
Suite *suite_manifest_parse(void)
{
    Suite *suite = suite_create("manifest_parse");
    TCase *tcase = tcase_create("grammar");
    tcase_add_loop_test(tcase, grammar, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, nesting_is_bounded);
    tcase_add_test(tcase, what_is_read);
    tcase_add_test(tcase, mutations);
    suite_add_tcase(suite, tcase);
    return suite;
}
