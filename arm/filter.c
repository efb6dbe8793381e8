// Reading a $filter, and judging an item by it.
#include "arm/filter.h"

#include "arm/resource.h"
#include "base/arena.h"

struct reader {
    struct arena *arena;
    struct text rest;
};

static void skip_blanks(struct reader *r)
{
    while (r->rest.length > 0 && (r->rest.base[0] == ' ' || r->rest.base[0] == '\t'))
        r->rest = text_slice(r->rest, 1, r->rest.length);
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct text word(struct reader *r)
{
    skip_blanks(r);
    size_t length = 0;
    while (length < r->rest.length && (letter(r->rest.base[length]) || r->rest.base[length] == '/'))
        length++;
    struct text w = text_slice(r->rest, 0, length);
    r->rest = text_slice(r->rest, length, r->rest.length);
    return w;
}

static bool symbol(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->rest.length == 0 || r->rest.base[0] != c)
        return false;
    r->rest = text_slice(r->rest, 1, r->rest.length);
    return true;
}

// 'it''s'
static bool literal(struct reader *r, struct text *value)
{
    if (!symbol(r, '\''))
        return false;
    struct buffer b = buffer_new(r->arena);
    for (size_t i = 0; i < r->rest.length; i++) {
        char c = r->rest.base[i];
        if (c == '\'' && i + 1 < r->rest.length && r->rest.base[i + 1] == '\'') {
            i++;
        } else if (c == '\'') {
            r->rest = text_slice(r->rest, i + 1, r->rest.length);
            *value = buffer_done(&b);
            return true;
        }
        buffer_char(&b, c);
    }
    return false;
}

static bool property_of(struct text name, enum filter_property *property)
{
    static const char *const names[] = {
        [FILTER_NAME] = "name",         [FILTER_TYPE] = "resourceType", [FILTER_GROUP] = "resourceGroup",
        [FILTER_LOCATION] = "location", [FILTER_TAG_NAME] = "tagName",  [FILTER_TAG_VALUE] = "tagValue",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_is_nocase(name, names[i])) {
            *property = (enum filter_property)i;
            return true;
        }
    return false;
}

static const char *function_term(struct reader *r, struct text function, struct filter_term *term)
{
    bool starts = text_is_nocase(function, "startswith");
    if (!starts && !text_is_nocase(function, "substringof"))
        return "the function is not supported";
    term->operator= starts ? FILTER_STARTS : FILTER_CONTAINS;
    bool sound = starts ? property_of(word(r), &term->property) && symbol(r, ',') && literal(r, &term->value)
                        : literal(r, &term->value) && symbol(r, ',') && property_of(word(r), &term->property);
    if (!sound || !symbol(r, ')'))
        return "the function's arguments are malformed";
    bool fits = starts ? term->property == FILTER_TAG_NAME
                       : term->property == FILTER_NAME || term->property == FILTER_GROUP;
    return fits ? NULL : "the function cannot be used with this property";
}

static const char *read_term(struct reader *r, struct filter_term *term)
{
    struct text first = word(r);
    if (symbol(r, '('))
        return function_term(r, first, term);
    if (!property_of(first, &term->property))
        return "the property is not supported";
    struct text op = word(r);
    if (text_is_nocase(op, "eq"))
        term->operator= FILTER_EQUAL;
    else if (text_is_nocase(op, "ne") && term->property < FILTER_TAG_NAME)
        term->operator= FILTER_NOT_EQUAL;
    else
        return "the operator is not supported";
    return literal(r, &term->value) ? NULL : "a value in single quotes is expected";
}

static bool has(const struct filter *filter, enum filter_property property)
{
    for (size_t i = 0; i < filter->count; i++)
        if (filter->terms[i].property == property)
            return true;
    return false;
}

bool filter_parse(struct arena *arena, struct text expression, bool tags_only, struct filter *filter,
                  const char **why)
{
    struct reader r = {arena, text_trim(expression)};
    filter->count = 0;
    *why = NULL;
    while (r.rest.length > 0) {
        struct filter_term *term = &filter->terms[filter->count];
        if (filter->count == FILTER_TERMS)
            *why = "there are too many terms";
        else
            *why = read_term(&r, term);
        if (!*why && tags_only && term->property < FILTER_TAG_NAME)
            *why = "only tagName and tagValue are supported";
        if (*why)
            return false;
        filter->count++;
        skip_blanks(&r);
        if (r.rest.length == 0)
            break;
        if (!text_is_nocase(word(&r), "and")) {
            *why = "terms are joined by 'and'";
            return false;
        }
        skip_blanks(&r);
        if (r.rest.length == 0) {
            *why = "a term is expected behind 'and'";
            return false;
        }
    }
    if (has(filter, FILTER_TAG_VALUE) && !has(filter, FILTER_TAG_NAME))
        *why = "tagValue is used together with tagName";
    return *why == NULL;
}

struct text filter_equal(const struct filter *filter, enum filter_property property)
{
    for (size_t i = 0; i < filter->count; i++)
        if (filter->terms[i].property == property && filter->terms[i].operator== FILTER_EQUAL)
            return filter->terms[i].value;
    return TEXT_NONE;
}

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

static bool compare(const struct filter_term *term, struct text value)
{
    if (term->operator== FILTER_CONTAINS)
        return contains_nocase(value, term->value);
    bool equal = term->property == FILTER_LOCATION
                     ? arm_location_is_ours(term->value) == arm_location_is_ours(value)
                     : text_equal_nocase(value, term->value);
    return equal == (term->operator== FILTER_EQUAL);
}

// Tag names compare without regard to case, values exactly. One and the same tag has to fit all terms about
// tags.
static bool tag_matches(const struct filter *filter, struct text name, struct text value)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct filter_term *term = &filter->terms[i];
        if (term->property == FILTER_TAG_NAME &&
            !(term->operator== FILTER_STARTS ? starts_nocase(name, term->value)
                                             : text_equal_nocase(name, term->value)))
            return false;
        if (term->property == FILTER_TAG_VALUE && !text_equal(value, term->value))
            return false;
    }
    return true;
}

static bool any_tag_matches(const struct filter *filter, struct text tags)
{
    json_t *json = json_loadb(tags.base ? tags.base : "{}", tags.base ? tags.length : 2, 0, NULL);
    const char *name;
    json_t *value;
    bool found = false;
    json_object_foreach(json, name, value) found =
        found || tag_matches(filter, text_of(name), text_of(json_string_value(value)));
    json_decref(json);
    return found;
}

bool filter_matches(const struct filter *filter, const struct filter_item *item)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct filter_term *term = &filter->terms[i];
        const struct text values[] = {[FILTER_NAME] = item->name,
                                      [FILTER_TYPE] = item->type,
                                      [FILTER_GROUP] = item->group,
                                      [FILTER_LOCATION] = item->location};
        if (term->property < FILTER_TAG_NAME && !compare(term, values[term->property]))
            return false;
    }
    return !has(filter, FILTER_TAG_NAME) || any_tag_matches(filter, item->tags);
}
