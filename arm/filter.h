// $filter of resource and group lists (arm-core 1.6, az-cli 4): comparisons joined by and, or, parentheses.
#pragma once
#include "arm/call.h"

enum filter_property {
    FILTER_NAME,
    FILTER_TYPE,
    FILTER_GROUP,
    FILTER_LOCATION,
    FILTER_ABSENT, // identity, plan and their members, which none of our resources has
    FILTER_TAG_NAME,
    FILTER_TAG_VALUE
};
enum filter_operator { FILTER_EQUAL, FILTER_NOT_EQUAL, FILTER_STARTS, FILTER_CONTAINS };
enum { FILTER_LENGTH = 4096, FILTER_DEPTH = 16, FILTER_TERMS = 64 };

struct filter_node;
struct filter {
    const struct filter_node *root; // NULL: everything
    size_t terms;
    bool by_tag_and_value; // the tags that such a filter found are not shown again (arm-core 1.6)
};
// False with *why, which names the word, when it is not of this language; `tags_only` as group lists have it.
bool filter_parse(struct arena *arena, struct text expression, bool tags_only, struct filter *filter,
                  const char **why);
// The value that every match has in that property because of an equality, or TEXT_NONE.
struct text filter_equal(const struct filter *filter, enum filter_property property);
// Whether a resource of that type could match, whatever else it is.
bool filter_may_match_type(const struct filter *filter, struct text type);

struct filter_item {
    struct text name, type, group, location, tags; // tags: a JSON object
};
bool filter_matches(const struct filter *filter, const struct filter_item *item);
