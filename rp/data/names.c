// Repository and tag names (OCI distribution 1.1): what is wrong with one, as a sentence for NAME_INVALID and
// TAG_INVALID.
#include "rp/data/call.h"

enum { REPOSITORY_NAME_LIMIT = 255, TAG_NAME_LIMIT = 128 };

static bool is_lower_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// The separator that starts at `at`: one '.', one or two '_', any number of '-'. 0: none that is legal.
static size_t separator_length(struct text name, size_t at)
{
    char c = name.base[at];
    size_t length = 1;
    while (at + length < name.length && name.base[at + length] == c)
        length++;
    if (c == '-')
        return length;
    if (c == '.')
        return length == 1 ? 1 : 0;
    if (c == '_')
        return length <= 2 ? length : 0;
    return 0;
}

// One path component: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
static const char *component_fault(struct text component)
{
    if (component.length == 0)
        return "a repository name has no empty path components";
    for (size_t at = 0; at < component.length;) {
        if (is_lower_alphanumeric(component.base[at])) {
            at++;
            continue;
        }
        char c = component.base[at];
        if (c >= 'A' && c <= 'Z')
            return "a repository name must be lower case";
        if (c != '.' && c != '_' && c != '-')
            return "a repository name may contain lower-case letters, digits, '.', '_', '-' and '/' only";
        size_t length = separator_length(component, at);
        if (length == 0)
            return "separators in a repository name are one '.', one or two '_', or any number of '-'";
        if (at == 0 || at + length == component.length)
            return "each path component of a repository name starts and ends with a letter or digit";
        if (!is_lower_alphanumeric(component.base[at + length]) &&
            strchr("._-", component.base[at + length]) != NULL)
            return "separators in a repository name are one '.', one or two '_', or any number of '-'";
        at += length;
    }
    return NULL;
}

const char *repository_name_fault(struct text name)
{
    if (name.base == NULL || name.length == 0)
        return "a repository name must not be empty";
    if (name.length > REPOSITORY_NAME_LIMIT)
        return "a repository name must not be longer than 255 characters";
    for (size_t from = 0; from <= name.length;) {
        size_t to = from;
        while (to < name.length && name.base[to] != '/')
            to++;
        const char *fault = component_fault(text_slice(name, from, to));
        if (fault != NULL)
            return fault;
        from = to + 1;
    }
    return NULL;
}

const char *tag_name_fault(struct text tag)
{
    if (tag.base == NULL || tag.length == 0)
        return "a tag must not be empty";
    if (tag.length > TAG_NAME_LIMIT)
        return "a tag must not be longer than 128 characters";
    for (size_t i = 0; i < tag.length; i++) {
        char c = tag.base[i];
        if (is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '_')
            continue;
        if (c != '.' && c != '-')
            return "a tag may contain letters, digits, '_', '.' and '-' only";
        if (i == 0)
            return "a tag must not start with '.' or '-'";
    }
    return NULL;
}
