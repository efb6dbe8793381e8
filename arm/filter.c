// Judging an item by a $filter. The reading of one is filter_parse.c.
#include "arm/filter_tree.h"

#include "arm/resource.h"
#include "base/arena.h"

static bool starts_nocase(struct text t, struct text prefix)
{
    return t.length >= prefix.length && text_equal_nocase(text_slice(t, 0, prefix.length), prefix);
}

static bool contains_nocase(struct text t, struct text needle)
{
    for (size_t i = 0; i + needle.length <= t.length; i++)
        if (text_equal_nocase(text_slice(t, i, i + needle.length), needle))
            return true;
    return false;
}

static char next_of_location(struct text location, size_t *at)
{
    while (*at < location.length && location.base[*at] == ' ')
        ++*at;
    if (*at == location.length)
        return '\0';
    char c = location.base[(*at)++];
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// "West US" is "westus".
static bool same_location(struct text a, struct text b)
{
    size_t in_a = 0, in_b = 0;
    for (;;) {
        char c = next_of_location(a, &in_a);
        if (c != next_of_location(b, &in_b))
            return false;
        if (c == '\0')
            return true;
    }
}

static bool compare(const struct filter_node *node, struct text value)
{
    if (node->operator== FILTER_CONTAINS)
        return contains_nocase(value, node->value);
    bool equal = node->property == FILTER_LOCATION ? same_location(value, node->value)
                                                   : text_equal_nocase(value, node->value);
    if (node->property == FILTER_ABSENT)
        equal = false;
    return equal == (node->operator== FILTER_EQUAL);
}

// Tag names compare without regard to case, values exactly; name and value are one tag's.
static bool any_tag_matches(const struct filter_node *node, const json_t *tags)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)tags, key, value)
    {
        struct text name = text_of(key);
        bool named = node->operator== FILTER_STARTS ? starts_nocase(name, node->value)
                                                    : text_equal_nocase(name, node->value);
        if (named && (!node->has_tag_value || text_equal(text_of(json_string_value(value)), node->tag_value)))
            return true;
    }
    return false;
}

static bool judge(const struct filter_node *node, const struct filter_item *item, const json_t *tags)
{
    const struct text values[] = {[FILTER_NAME] = item->name,
                                  [FILTER_TYPE] = item->type,
                                  [FILTER_GROUP] = item->group,
                                  [FILTER_LOCATION] = item->location,
                                  [FILTER_ABSENT] = TEXT_NONE};
    switch (node->kind) {
    case NODE_AND:
        return judge(node->left, item, tags) && judge(node->right, item, tags);
    case NODE_OR:
        return judge(node->left, item, tags) || judge(node->right, item, tags);
    case NODE_COMPARE:
        return compare(node, values[node->property]);
    case NODE_TAG:
        return any_tag_matches(node, tags);
    case NODE_TAG_VALUE: // bound to its name by the reader
        break;
    }
    return false;
}

static bool asks_for_tags(const struct filter_node *node)
{
    if (node->kind == NODE_AND || node->kind == NODE_OR)
        return asks_for_tags(node->left) || asks_for_tags(node->right);
    return node->kind == NODE_TAG;
}

bool filter_matches(const struct filter *filter, const struct filter_item *item)
{
    if (!filter->root)
        return true;
    json_t *tags = NULL;
    if (asks_for_tags(filter->root) && item->tags.base)
        tags = json_loadb(item->tags.base, item->tags.length, 0, NULL);
    bool matches = judge(filter->root, item, tags);
    json_decref(tags);
    return matches;
}

static struct text equal_below(const struct filter_node *node, enum filter_property property)
{
    if (node && node->kind == NODE_AND) {
        struct text left = equal_below(node->left, property);
        return left.base ? left : equal_below(node->right, property);
    }
    bool found =
        node && node->kind == NODE_COMPARE && node->property == property && node->operator== FILTER_EQUAL;
    return found ? node->value : TEXT_NONE;
}

struct text filter_equal(const struct filter *filter, enum filter_property property)
{
    return equal_below(filter->root, property);
}

static bool may_match(const struct filter_node *node, struct text type)
{
    if (node->kind == NODE_AND)
        return may_match(node->left, type) && may_match(node->right, type);
    if (node->kind == NODE_OR)
        return may_match(node->left, type) || may_match(node->right, type);
    return node->kind != NODE_COMPARE || node->property != FILTER_TYPE || compare(node, type);
}

bool filter_may_match_type(const struct filter *filter, struct text type)
{
    return !filter->root || may_match(filter->root, type);
}
