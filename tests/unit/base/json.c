// The JSON writer, sealing, digests, times and the configuration.
#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/crypto.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

Suite *suite_json(void);

START_TEST(writes_compact_json)
{
    struct arena *arena = arena_new();
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_string(&b, "a", "x\"\\\n\x01");
    json_key_string(&b, "bad", "\xff!");
    json_key_int(&b, "n", -5);
    json_key(&b, "list");
    json_begin_array(&b);
    json_bool(&b, true);
    json_write_null(&b);
    json_begin_object(&b);
    json_end_object(&b);
    json_end_array(&b);
    json_key_raw(&b, "raw", TEXT("{\"k\":1}"));
    json_end_object(&b);
    ck_assert_str_eq(buffer_done(&b).base,
                     "{\"a\":\"x\\\"\\\\\\n\\u0001\",\"bad\":\"\xef\xbf\xbd!\",\"n\":-5,"
                     "\"list\":[true,null,{}],\"raw\":{\"k\":1}}");
    arena_free(arena);
}
END_TEST

START_TEST(seals_for_one_place)
{
    struct arena *arena = arena_new();
    char path[] = "/tmp/azsacr-key-XXXXXX";
    close(mkstemp(path));
    unlink(path);
    const char *why = NULL;
    struct master_key *key = master_key_load(path, true, arena, &why);
    ck_assert_msg(key != NULL, "%s", why);
    struct text sealed = master_key_seal(key, arena, "p", "t/1/c", TEXT("secret")), plain;
    ck_assert(master_key_open(key, arena, "p", "t/1/c", sealed, &plain));
    ck_assert(text_is(plain, "secret"));
    ck_assert(!master_key_open(key, arena, "p", "t/2/c", sealed, &plain));
    ck_assert(!master_key_open(key, arena, "q", "t/1/c", sealed, &plain));
    ((char *)(uintptr_t)sealed.base)[sealed.length - 1] ^= 1;
    ck_assert(!master_key_open(key, arena, "p", "t/1/c", sealed, &plain));
    struct master_key *again = master_key_load(path, false, arena, &why);
    ck_assert(text_equal(master_key_id(key, arena), master_key_id(again, arena)));
    master_key_free(again);
    master_key_free(key);
    unlink(path);
    arena_free(arena);
}
END_TEST

START_TEST(digests)
{
    struct arena *arena = arena_new();
    enum digest_algorithm algorithm;
    ck_assert_str_eq(digest_of(arena, DIGEST_SHA256, TEXT("")).base,
                     "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert(digest_parse(digest_of(arena, DIGEST_SHA512, TEXT("x")), &algorithm) &&
              algorithm == DIGEST_SHA512);
    ck_assert(!digest_parse(TEXT("sha256:abc"), &algorithm));
    ck_assert(!digest_parse(TEXT("md5:d41d8cd98f00b204e9800998ecf8427e"), &algorithm));
    struct digest *d = digest_begin(DIGEST_SHA256);
    digest_add(d, "a", 1);
    struct digest *copy = digest_copy(d);
    digest_add(d, "junk", 4);
    digest_drop(d);
    digest_add(copy, "b", 1);
    ck_assert(text_equal(digest_end(copy, arena), digest_of(arena, DIGEST_SHA256, TEXT("ab"))));
    arena_free(arena);
}
END_TEST

START_TEST(times)
{
    struct arena *arena = arena_new();
    int64_t t = 1764110467 * INT64_C(1000000);
    ck_assert_str_eq(clock_iso(arena, t, "Z").base, "2025-11-25T22:41:07Z");
    ck_assert_str_eq(clock_iso(arena, t + 120300, "+00:00").base, "2025-11-25T22:41:07.1203+00:00");
    ck_assert_str_eq(clock_iso7(arena, t + 1).base, "2025-11-25T22:41:07.0000010Z");
    ck_assert_str_eq(clock_american(arena, t).base, "11/25/2025 10:41:07 PM");
    ck_assert_str_eq(clock_compact(arena, t).base, "20251125T224107Z");
    arena_free(arena);
}
END_TEST

static const char *fault_of(struct arena *arena, const char *content)
{
    char path[] = "/tmp/azsacr-conf-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    const char *why = NULL;
    config_load(arena, "/nowhere", path, &why);
    unlink(path);
    return why;
}

START_TEST(configuration_names_its_faults)
{
    struct arena *arena = arena_new();
    ck_assert_ptr_eq(fault_of(arena, "# comment\n\nregion = east\nregistry_quota = 5G\n"), NULL);
    ck_assert(strstr(fault_of(arena, "regoin = east\n"), ":1: unknown key 'regoin'; did you mean 'region'?"));
    ck_assert(strstr(fault_of(arena, "\nport = x\n"), ":2: port must be a whole number"));
    ck_assert(strstr(fault_of(arena, "sku = gold\n"), "sku must be one of any|standard-only"));
    ck_assert(strstr(fault_of(arena, "nonsense\n"), "expected key = value"));
    arena_free(arena);
}
END_TEST

START_TEST(configuration_derives_names)
{
    struct arena *arena = arena_new();
    const char *why = NULL;
    struct config *c = config_load(arena, "/nowhere", "/nowhere/azsacr.conf", &why);
    ck_assert(c != NULL);
    c->region = "East";
    c->port = 8443;
    config_derive(arena, c);
    ck_assert_str_eq(c->url_management, "https://management.east.azurestack.external:8443");
    ck_assert_str_eq(c->acr_suffix, ".azsacr.east.azurestack.external:8443");
    arena_free(arena);
}
END_TEST

Suite *suite_json(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("base");
    tcase_add_test(tcase, writes_compact_json);
    tcase_add_test(tcase, seals_for_one_place);
    tcase_add_test(tcase, digests);
    tcase_add_test(tcase, times);
    tcase_add_test(tcase, configuration_names_its_faults);
    tcase_add_test(tcase, configuration_derives_names);
    suite_add_tcase(suite, tcase);
    return suite;
}
