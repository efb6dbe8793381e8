// The site's certificates: made, kept, made anew, and the operator's own.
#include "base/arena.h"
#include "base/certificate.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"management.local.example", "*.azsacr.local.example"};
static const char *const more[] = {"management.local.example", "portal.local.example"};

static struct arena *arena;
static char directory[] = "/tmp/azsacr-certificate-XXXXXX";

static const char *file(const char *name)
{
    return arena_printf(arena, "%s/%s", directory, name);
}

static void set_up(void)
{
    arena = arena_new();
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void tear_down(void)
{
    static const char *const made[] = {"ca.pem", "ca.key", "edge.pem", "edge.key"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        unlink(file(made[i]));
    rmdir(directory);
    arena_free(arena);
}

static const char *fingerprint(const char *name)
{
    return certificate_fingerprint(file(name), arena).base;
}

START_TEST(made_once_and_anew_for_other_names)
{
    const char *why = NULL;
    struct stat st;
    ck_assert(certificate_ensure(directory, names, 2, arena, &why));
    ck_assert_int_eq(stat(file("edge.key"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    const char *authority = fingerprint("ca.pem"), *edge = fingerprint("edge.pem");
    ck_assert(certificate_ensure(directory, names, 2, arena, &why));
    ck_assert_str_eq(edge, fingerprint("edge.pem"));
    ck_assert(certificate_ensure(directory, more, 2, arena, &why));
    ck_assert_str_ne(edge, fingerprint("edge.pem"));
    ck_assert_str_eq(authority, fingerprint("ca.pem"));
}
END_TEST

// A site's own certificate, with the authority's key kept elsewhere.
START_TEST(the_operators_own_needs_no_key_of_the_authority)
{
    const char *why = NULL;
    ck_assert(certificate_ensure(directory, names, 2, arena, &why));
    const char *edge = fingerprint("edge.pem");
    unlink(file("ca.key"));
    ck_assert_msg(certificate_ensure(directory, names, 2, arena, &why), "%s", why);
    ck_assert_str_eq(edge, fingerprint("edge.pem"));
    ck_assert(!certificate_ensure(directory, more, 2, arena, &why));
    ck_assert_ptr_nonnull(strstr(why, "portal.local.example"));
    ck_assert_str_eq(edge, fingerprint("edge.pem"));
    unlink(file("edge.key"));
    ck_assert(!certificate_ensure(directory, names, 2, arena, &why));
    ck_assert_int_ne(access(file("edge.key"), F_OK), 0);
}
END_TEST

Suite *suite_certificate(void);
Suite *suite_certificate(void)
{
    Suite *suite = suite_create("certificate");
    TCase *tcase = tcase_create("certificate");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, made_once_and_anew_for_other_names);
    tcase_add_test(tcase, the_operators_own_needs_no_key_of_the_authority);
    suite_add_tcase(suite, tcase);
    return suite;
}
