// A site and a call without a database, for the parts of the door that need none.
#pragma once
#include "arm/door_parts.h"

#include "base/arena.h"

#include <check.h>

struct fixture {
    struct arena *arena;
    struct http_request request;
    struct http_answer answer;
    struct door_call door;
    struct arm_operation operation;
};
struct fixture *fixture_new(enum http_method method, const char *path);
void fixture_query(struct fixture *fixture, const char *name, const char *value);
void fixture_header(struct fixture *fixture, const char *name, const char *value);
void fixture_free(struct fixture *fixture);
#define assert_text(t, s)                                                                                    \
    do {                                                                                                     \
        struct text actual_ = (t);                                                                           \
        ck_assert_msg(text_is(actual_, (s)), "\"%.*s\" is not \"%s\"", TEXT_ARG(actual_), (s));              \
    } while (0)
