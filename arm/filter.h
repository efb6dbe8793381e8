// $filter of resource and group lists: what az and the SDKs send (az-cli 4, arm-core 1.6).
#pragma once
#include "arm/call.h"

enum filter_property {
    FILTER_NAME,
    FILTER_TYPE,
    FILTER_GROUP,
    FILTER_LOCATION,
    FILTER_TAG_NAME,
    FILTER_TAG_VALUE
};
enum filter_operator { FILTER_EQUAL, FILTER_NOT_EQUAL, FILTER_STARTS, FILTER_CONTAINS };
enum { FILTER_TERMS = 16 };

// Terms joined by "and". No term: everything.
struct filter {
    struct filter_term {
        enum filter_property property;
        enum filter_operator operator;
        struct text value;
    } terms[FILTER_TERMS];
    size_t count;
};
// False with *why when it is not of this language; `tags_only` as group lists have it.
bool filter_parse(struct arena *arena, struct text expression, bool tags_only, struct filter *filter,
                  const char **why);
// The value of an equality over that property, or TEXT_NONE.
struct text filter_equal(const struct filter *filter, enum filter_property property);

struct filter_item {
    struct text name, type, group, location, tags; // tags: a JSON object
};
bool filter_matches(const struct filter *filter, const struct filter_item *item);
