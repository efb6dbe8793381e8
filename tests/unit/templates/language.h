// Evaluating expressions in tests: a place with parameters, variables, functions and resources made up here.
#pragma once
#include "templates/expression.h"

#include <check.h>

struct language_case {
    const char *row; // of the contract
    const char *expression;
    const char *expected; // compact JSON, or "!" and the error's message
};

struct language {
    struct arena *arena;
    struct evaluation_budget budget;
    struct evaluation e;
    struct expression_error error;
};
void language_open(struct language *l);
void language_close(struct language *l);
// What a template string becomes, as `expected` above has it.
struct text language_evaluate(struct language *l, struct text string);
// Each with an environment of its own, at this place.
void language_check(const struct language_case *cases, size_t count, enum evaluation_place place);
#define LANGUAGE_CHECK(cases, place) language_check((cases), sizeof(cases) / sizeof *(cases), (place))
