// What a $filter is made of; known to filter.c and filter_parse.c only.
#pragma once
#include "arm/filter.h"

struct filter_node {
    enum filter_node_kind { NODE_AND, NODE_OR, NODE_COMPARE, NODE_TAG, NODE_TAG_VALUE } kind;
    const struct filter_node *left, *right; // and, or
    enum filter_property property;          // compare
    enum filter_operator operator;          // compare; of a tag's name: equal or starts
    struct text value;                      // compare; a tag's name; a value not bound yet
    bool has_tag_value;                     // tag
    struct text tag_value;
};
