// How a template's or a request's structure is refused: texts, paths, and the checks of typed objects
// (arm-templates 1.1, 9.2).
#include "templates/document_parts.h"

#include "templates/reader.h"

#include <stdlib.h>

enum {
    SHOWN = 200,    // bytes of a value that a message repeats
    LONGEST = 4000, // of a message's own sentence: what it quotes may be as long as the request
};

// No half characters at the end.
static size_t cut(const char *text, size_t length, size_t most)
{
    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

__attribute__((format(printf, 2, 0))) static const char *sentence(struct arena *arena, const char *format,
                                                                  va_list arguments)
{
    char *text = arena_vprintf(arena, format, arguments);
    text[cut(text, strlen(text), LONGEST)] = '\0';
    return text;
}

static void fail(struct arena *arena, struct plan_error *error, const char *code, struct text path,
                 uint32_t line, uint32_t column, const char *message)
{
    if (error->message)
        return;
    error->code = code;
    error->message = message;
    error->path = path.base ? text_copy(arena, path) : TEXT("");
    error->line = line;
    error->column = column;
}

void fail_content(struct arena *arena, struct plan_error *error, struct text path, uint32_t line,
                  uint32_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *what = sentence(arena, format, arguments);
    va_end(arguments);
    fail(arena, error, "InvalidRequestContent", path, line, column,
         arena_printf(arena,
                      "The request content was invalid and could not be deserialized: '%s Path '%.*s', line "
                      "%u, position %u.'.",
                      what, TEXT_ARG(path), line, column));
}

void fail_template(struct arena *arena, struct plan_error *error, struct text path, uint32_t line,
                   uint32_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *inner = sentence(arena, format, arguments);
    va_end(arguments);
    fail(arena, error, "InvalidTemplate", path, line, column,
         arena_printf(arena, "Deployment template validation failed: '%s'.", inner));
}

struct text path_member(struct arena *arena, struct text path, struct text name)
{
    struct buffer out = buffer_new(arena);
    buffer_text(&out, path);
    reader_path_member(&out, name);
    return buffer_done(&out);
}

struct text path_item(struct arena *arena, struct text path, size_t index)
{
    return text_of(arena_printf(arena, "%.*s[%zu]", TEXT_ARG(path), index));
}

bool typed_members(struct document_reader *r, const struct value *object, const char *const *names,
                   const char *type, struct text path)
{
    for (size_t i = 0; i < object->object.count; i++) {
        const struct value_member *member = &object->object.members[i];
        size_t n = 0;
        while (names[n] && !text_is_nocase(member->name, names[n]))
            n++;
        if (names[n])
            continue;
        int shown = (int)cut(member->name.base, member->name.length, SHOWN);
        fail_content(r->arena, r->error, path_member(r->arena, path, member->name), member->line,
                     member->column, "Could not find member '%.*s' on object of type '%s'.", shown,
                     member->name.base, type);
        return false;
    }
    return true;
}

const struct value *typed_member(const struct value *object, const char *name)
{
    for (size_t i = object->object.count; i-- > 0;)
        if (text_is_nocase(object->object.members[i].name, name)) {
            const struct value *value = object->object.members[i].value;
            return value->kind == VALUE_NULL ? NULL : value;
        }
    return NULL;
}

void typed_wrong(struct document_reader *r, const struct value *value, const char *type, struct text path)
{
    struct buffer out = buffer_new(r->arena);
    if (value->kind == VALUE_STRING)
        buffer_text(&out, value->string);
    else
        value_write_within(&out, value, '"', SHOWN);
    size_t shown = cut(out.base ? out.base : "", out.length, SHOWN);
    fail_content(r->arena, r->error, path, value->line, value->column,
                 "Error converting value \"%.*s\" to type '%s'.", (int)shown, out.base ? out.base : "", type);
}

bool typed_is(struct document_reader *r, const struct value *value, enum value_kind kind, const char *type,
              struct text path)
{
    if (value->kind == kind)
        return true;
    typed_wrong(r, value, type, path);
    return false;
}

const struct value *typed_required(struct document_reader *r, const struct value *object, const char *name,
                                   struct text path)
{
    const struct value *value = typed_member(object, name);
    if (!value)
        fail_content(r->arena, r->error, path, object->line, object->column,
                     "Required property '%s' not found in JSON.", name);
    return value;
}

bool typed_optional(struct document_reader *r, const struct value *object, const char *name,
                    enum value_kind kind, const char *type, struct text path, const struct value **value)
{
    *value = typed_member(object, name);
    return !*value || typed_is(r, *value, kind, type, path_member(r->arena, path, text_of(name)));
}

static int nocase_order(struct text a, struct text b)
{
    size_t least = a.length < b.length ? a.length : b.length;
    for (size_t i = 0; i < least; i++) {
        int x = (unsigned char)a.base[i], y = (unsigned char)b.base[i];
        x += x >= 'A' && x <= 'Z' ? 32 : 0;
        y += y >= 'A' && y <= 'Z' ? 32 : 0;
        if (x != y)
            return x - y;
    }
    return (a.length > b.length) - (a.length < b.length);
}

static int by_name(const void *a, const void *b)
{
    const struct value_member *x = *(const struct value_member *const *)a,
                              *y = *(const struct value_member *const *)b;
    int order = nocase_order(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

bool distinct_names(struct document_reader *r, const struct value *object, const char *what, struct text path)
{
    size_t count = object->object.count;
    const struct value_member **sorted = xmalloc((count + 1) * sizeof(const struct value_member *)),
                              *bad = NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &object->object.members[i];
    qsort(sorted, count, sizeof(const struct value_member *), by_name);
    for (size_t i = 1; i < count && !bad; i++)
        if (text_equal_nocase(sorted[i - 1]->name, sorted[i]->name))
            bad = sorted[i];
    const struct value_member *first = count > 0 ? sorted[0] : NULL;
    free(sorted);
    if (first && first->name.length == 0)
        fail_template(r->arena, r->error, path, first->line, first->column,
                      "The template %s at line '%u' and column '%u' is not valid. The name cannot be empty. "
                      "Please see https://aka.ms/arm-template for usage details.",
                      what, first->line, first->column);
    else if (bad)
        fail_template(r->arena, r->error, path_member(r->arena, path, bad->name), bad->line, bad->column,
                      "The template %s '%.*s' at line '%u' and column '%u' is defined multiple times in a "
                      "template: names are the same in any case. Please see https://aka.ms/arm-template for "
                      "usage details.",
                      what, TEXT_ARG(bad->name), bad->line, bad->column);
    return !r->error->message;
}
