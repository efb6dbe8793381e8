// The configuration: file, environment, what follows from both, and what is refused.
#include "base/arena.h"
#include "base/config.h"
#include "base/host_list.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/azsacr-config-XXXXXX";
static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void tear_down(void)
{
    unlink(path);
    arena_free(arena);
}

static const struct config *load(const char *content, const char **why)
{
    FILE *file = fopen(path, "w");
    ck_assert_int_ge(fputs(content, file), 0);
    fclose(file);
    *why = NULL;
    return config_load(arena, "/srv/state", path, why);
}

START_TEST(file_then_environment)
{
    const char *why = NULL;
    setenv("AZSACR_REGION", "North", 1);
    const struct config *config = load("# a comment\n\n region = south \ndomain=Site.Example\nport = "
                                       "8443\nregistry_quota = 2G\nthrottle = false\n",
                                       &why);
    ck_assert_msg(config != NULL, "%s", why);
    ck_assert_str_eq(config->host_management, "management.north.site.example");
    ck_assert_str_eq(config->acr_suffix, ".azsacr.north.site.example:8443");
    ck_assert_int_eq(config->registry_quota, (int64_t)2 << 30);
    ck_assert(!config->throttle);
    ck_assert_str_eq(config->store, "/srv/state/store");
}
END_TEST

static const struct {
    const char *content, *why;
} refused[] = {
    {"regin = x\n", ":1: unknown key 'regin'; did you mean 'region'?"},
    {"\nport\n", ":2: expected key = value"},
    {"loops = many\n", ":1: loops must be a whole number"},
    {"sku = premium\n", ":1: sku must be one of any|standard-only"},
    {"throttle = yes\n", ":1: throttle must be true or false"},
};

START_TEST(refuses_by_line)
{
    const char *why = NULL;
    ck_assert_ptr_null(load(refused[_i].content, &why));
    ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s", why);
    ck_assert_int_eq(strncmp(why, path, strlen(path)), 0);
}
END_TEST

// Origins are kept as browsers spell them; what is none would let other pages in, or break the edge's file.
START_TEST(origins_are_normal)
{
    const char *why = NULL;
    const struct config *config = load("port = 8443\n", &why);
    ck_assert_str_eq(config->origins[0], "https://portal.local.azurestack.external:8443");
    ck_assert_ptr_null(config->origins[1]);
    config = load("portal_origins = https://A.example.com:443, http://b.example.com:8080\n", &why);
    ck_assert_str_eq(config->origins[0], "https://a.example.com");
    ck_assert_str_eq(config->origins[1], "http://b.example.com:8080");
    ck_assert_ptr_null(config->origins[2]);
    ck_assert_ptr_null(load("portal_origins = none\n", &why)->origins[0]);
    static const char *const bad[] = {"*",           "null",           "https://",
                                      "https://a/",  "https://a b\";", "a.example.com",
                                      "https://a:0", "https://a:x",    "https://*.example.com",
                                      "https://a\"b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_ptr_null(load(arena_printf(arena, "portal_origins = %s\n", bad[i]), &why));
        ck_assert_ptr_nonnull(strstr(why, "portal_origins"));
    }
}
END_TEST

// A file that somebody named is not quietly replaced by defaults.
START_TEST(a_named_file_must_be_there)
{
    const char *why = NULL;
    unlink(path);
    ck_assert_ptr_nonnull(config_load(arena, "/srv/state", path, &why));
    setenv("AZSACR_CONFIG", path, 1);
    ck_assert_ptr_null(config_load(arena, "/srv/state", NULL, &why));
    ck_assert_ptr_nonnull(strstr(why, "AZSACR_CONFIG"));
}
END_TEST

// Without --state, as in a container: the file is looked for where the state is.
START_TEST(the_file_is_in_the_state_that_the_environment_names)
{
    const char *why = NULL, *directory = arena_printf(arena, "%s.state", path);
    const char *file = arena_printf(arena, "%s/azsacr.conf", directory);
    ck_assert_int_eq(mkdir(directory, 0700), 0);
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs("region = north\n", out);
    fclose(out);
    setenv("AZSACR_STATE", directory, 1);
    const struct config *config = config_load(arena, NULL, NULL, &why);
    ck_assert_msg(config != NULL, "%s", why);
    ck_assert_str_eq(config->region, "north");
    ck_assert_str_eq(config->state, directory);
    setenv("AZSACR_STATE", "", 1); // as if it were not set
    config = config_load(arena, NULL, path, &why);
    ck_assert_msg(config != NULL, "%s", why);
    ck_assert_str_ne(config->state, "");
    unlink(file);
    rmdir(directory);
}
END_TEST

START_TEST(hosts_of_links)
{
    const char *why = NULL;
    const struct config *config = load("", &why);
    ck_assert_msg(config != NULL, "%s", why);
    ck_assert_ptr_null(config->link_hosts[0]);
    config = load("template_link_hosts = Templates.Example, 10.0.0.5:8443 \n", &why);
    ck_assert_msg(config != NULL, "%s", why);
    ck_assert_str_eq(config->link_hosts[0], "templates.example:443");
    ck_assert_str_eq(config->link_hosts[1], "10.0.0.5:8443");
    ck_assert_ptr_null(config->link_hosts[2]);
    ck_assert(host_list_has(config->link_hosts, TEXT("templates.EXAMPLE"), 443));
    ck_assert(!host_list_has(config->link_hosts, TEXT("templates.example"), 8443));
    ck_assert(!host_list_has(config->link_hosts, TEXT("x.templates.example"), 443));
    ck_assert(!host_list_has(config->link_hosts, TEXT("10.0.0.5"), 443));
    ck_assert(host_list_names(config->link_hosts, TEXT("10.0.0.5")));
    static const char *const bad[] = {"https://h", "h/x",       "h:0",   "h:65536", "h:x",
                                      "*",         "*.example", "a b:c", "me@h",    "-h"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(load(arena_printf(arena, "template_link_hosts = %s\n", bad[i]), &why) == NULL, "%s",
                      bad[i]);
        ck_assert_msg(strstr(why, "template_link_hosts") != NULL, "%s", why);
    }
    ck_assert_ptr_null(load("template_link_ca = /nowhere/ca.pem\n", &why));
    ck_assert_msg(strstr(why, "template_link_ca") != NULL, "%s", why);
}
END_TEST

Suite *suite_config(void);
Suite *suite_config(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, file_then_environment);
    tcase_add_loop_test(tcase, refuses_by_line, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tcase, a_named_file_must_be_there);
    tcase_add_test(tcase, the_file_is_in_the_state_that_the_environment_names);
    tcase_add_test(tcase, origins_are_normal);
    tcase_add_test(tcase, hosts_of_links);
    suite_add_tcase(suite, tcase);
    return suite;
}
