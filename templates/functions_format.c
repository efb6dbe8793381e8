// format(): .NET's composite formats (arm-templates 5.4).
#include "templates/number_format.h"
#include "templates/utf16.h"

#define SEE " Please see https://aka.ms/arm-function-format for usage details."

static const struct value *bad_format(struct call *call, const char *why)
{
    return call_fail(call, "Unable to evaluate language function 'format': the format is invalid: '%s'." SEE,
                     why);
}

static const char malformed[] = "Input string was not in a correct format.";

// One "{index[,alignment][:format]}".
struct item {
    size_t index;
    long alignment;
    struct text format;
};

static void skip_blanks(struct text f, size_t *at)
{
    while (*at < f.length && f.base[*at] == ' ')
        ++*at;
}

// .NET's own bound is a million.
static bool read_number(struct text f, size_t *at, long *number)
{
    size_t from = *at;
    *number = 0;
    for (; *at < f.length && f.base[*at] >= '0' && f.base[*at] <= '9' && *number < 1000000; ++*at)
        *number = *number * 10 + (f.base[*at] - '0');
    return *at > from && *number < 1000000;
}

// `*at` is behind the opening brace, and then behind the closing one.
static bool read_item(struct text f, size_t *at, struct item *item)
{
    long number;
    if (!read_number(f, at, &number))
        return false;
    *item = (struct item){.index = (size_t)number, .format = TEXT("")};
    skip_blanks(f, at);
    if (*at < f.length && f.base[*at] == ',') {
        ++*at;
        skip_blanks(f, at);
        bool left = *at < f.length && f.base[*at] == '-';
        *at += left;
        if (!read_number(f, at, &item->alignment))
            return false;
        item->alignment = left ? -item->alignment : item->alignment;
        skip_blanks(f, at);
    }
    if (*at < f.length && f.base[*at] == ':') {
        size_t from = ++*at;
        while (*at < f.length && f.base[*at] != '}' && f.base[*at] != '{')
            ++*at;
        item->format = text_slice(f, from, *at);
    }
    if (*at >= f.length || f.base[*at] != '}')
        return false;
    ++*at;
    return true;
}

// What stands for the item before it is aligned; absent after an error.
static struct text item_text(struct call *call, const struct item *item, const struct value *value)
{
    if (value->kind == VALUE_ARRAY || value->kind == VALUE_OBJECT)
        return call_json(call, value, '\'');
    if ((value->kind != VALUE_INTEGER && value->kind != VALUE_FLOAT) ||
        (value->kind == VALUE_INTEGER && item->format.length == 0))
        return call_text(call, value);
    struct buffer out = buffer_new(call->e->arena);
    if (!call_spend(call, 2, 600))
        return TEXT_NONE;
    if (!number_format(call, value, item->format, &out)) {
        if (!call->error->message)
            bad_format(call, "Format specifier was invalid.");
        return TEXT_NONE;
    }
    struct text text = buffer_done(&out);
    return text.base ? text : TEXT("");
}

static bool put_blanks(struct call *call, struct buffer *out, size_t count)
{
    if (!call_spend(call, count / 16, count * 3))
        return false;
    while (count-- > 0)
        buffer_char(out, ' ');
    return true;
}

static bool put_item(struct call *call, struct buffer *out, const struct item *item)
{
    if (item->index + 1 >= call->count) {
        bad_format(call,
                   "Index (zero based) must be greater than or equal to zero and less than the size of the "
                   "argument list.");
        return false;
    }
    struct text text = item_text(call, item, call->arguments[item->index + 1]);
    if (!text.base || !call_spend(call, 1 + text.length / 32, text.length * 3))
        return false;
    size_t width = (size_t)(item->alignment < 0 ? -item->alignment : item->alignment);
    size_t units = width > 0 ? value_utf16_length(text) : 0, blanks = width > units ? width - units : 0;
    if (item->alignment > 0 && !put_blanks(call, out, blanks))
        return false;
    buffer_text(out, text);
    return item->alignment >= 0 || put_blanks(call, out, blanks);
}

static bool put_all(struct call *call, struct buffer *out, struct text f)
{
    struct item item;
    for (size_t at = 0; at < f.length;) {
        char c = f.base[at++];
        if (c != '{' && c != '}') {
            buffer_char(out, c);
        } else if (at < f.length && f.base[at] == c) {
            buffer_char(out, c);
            at++;
        } else if (c == '}' || !read_item(f, &at, &item)) {
            bad_format(call, malformed);
            return false;
        } else if (!put_item(call, out, &item)) {
            return false;
        }
    }
    return true;
}

static const struct value *format(struct call *call)
{
    const struct value *first = call->arguments[0];
    if (first->kind != VALUE_STRING)
        return call_fail(
            call, "Unable to evaluate language function 'format': the first argument must be a string "
                  "literal, and the type of other arguments must be one of 'Array, Boolean, Date, Float, "
                  "Guid, Integer, Null, Object, String, TimeSpan, Undefined, Uri'.");
    if (!call_spend(call, 1 + first->string.length / 16, 600 + first->string.length * 3))
        return NULL;
    struct buffer out = buffer_new(call->e->arena);
    if (!put_all(call, &out, first->string))
        return NULL;
    struct text text = buffer_done(&out);
    return call_string(call, text.base ? text : TEXT(""));
}

const struct function functions_format[] = {
    {"format", 1, FUNCTION_MANY, ANYWHERE, false, format,
     "Unable to evaluate language function 'format'. At least one parameter should be provided.", NULL},
    {0},
};
