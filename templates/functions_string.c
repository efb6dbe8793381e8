// Conversions of strings: encodings, case, JSON, identities (arm-templates 5.1 json, 5.4).
#include "templates/hash.h"
#include "templates/reader.h"
#include "templates/utf16.h"

// The only parameter, a string; absent and the error when it is none. T1 of the contract.
static struct text only_string(struct call *call)
{
    const struct value *value = call->arguments[0];
    if (value->kind == VALUE_STRING)
        return value->string;
    call_fail_type(call, "parameter to be of type 'String'", value);
    return TEXT_NONE;
}

static const struct value *done(struct call *call, struct text result)
{
    return result.base ? call_string(call, result) : NULL;
}

// ---- base64

static struct text encode(struct call *call, struct text bytes)
{
    if (!call_spend(call, 1 + bytes.length / 32, bytes.length * 2 + 8))
        return TEXT_NONE;
    return text_base64(call->e->arena, bytes.base, bytes.length);
}

// White space between the digits is no fault. Absent without an error when it is no base64.
static struct text decode(struct call *call, struct text encoded)
{
    struct text bytes;
    char *digits = call_bytes(call, encoded.length * 2);
    size_t length = 0;
    for (size_t i = 0; digits && i < encoded.length; i++)
        if (encoded.base[i] == '\0' || !strchr(" \t\r\n", encoded.base[i]))
            digits[length++] = encoded.base[i];
    if (!digits || !text_unbase64(call->e->arena, (struct text){digits, length}, &bytes))
        return TEXT_NONE;
    return utf8_repair(call, bytes.base ? bytes : TEXT(""));
}

static const struct value *base64(struct call *call)
{
    struct text string = only_string(call);
    return string.base ? done(call, encode(call, string)) : NULL;
}

static struct text decoded(struct call *call)
{
    const struct value *value = call->arguments[0];
    if (value->kind != VALUE_STRING) {
        call_fail_type(call, "parameter to be a string", value);
        return TEXT_NONE;
    }
    struct text text = decode(call, value->string);
    if (!text.base && !call->error->message)
        call_fail(
            call,
            "The template language function '%s' was invoked with a parameter that is not valid. The value "
            "cannot be decoded from base64 representation.",
            call->name);
    return text;
}

static const struct value *base64_to_string(struct call *call)
{
    return done(call, decoded(call));
}

// ---- JSON

// What a text can become at most: a value for each sign that stands before, between or behind values.
static size_t count_values(struct text text)
{
    size_t signs = 1;
    for (size_t i = 0; i < text.length; i++)
        signs += text.base[i] == ',' || text.base[i] == '[' || text.base[i] == '{' || text.base[i] == ':';
    return signs;
}

static const struct value *parse_json(struct call *call, struct text text)
{
    enum { VALUES = 250000 };
    struct reader_limits limits = {EVALUATION_VALUE_DEPTH, VALUES};
    struct reader_error error = {0};
    size_t values = count_values(text);
    if (!call_spend(call, 1 + text.length / 16 + values, text.length * 2 + values * 96))
        return NULL;
    const struct value *value = reader_read(call->e->arena, text, &limits, &error);
    if (value)
        return value;
    return call_fail(
        call,
        "The template language function '%s' parameter is not valid. The provided value '%.*s' cannot "
        "be converted to a JSON value: '%s' at line '%u' and position '%u'. Please see "
        "https://aka.ms/arm-functions#%s for usage details.",
        call->name, SHOWN(text), error.message, error.line, error.column, call->name);
}

static const struct value *json(struct call *call)
{
    struct text text = only_string(call);
    return text.base ? parse_json(call, text) : NULL;
}

static const struct value *base64_to_json(struct call *call)
{
    struct text text = decoded(call);
    return text.base ? parse_json(call, text) : NULL;
}

static const struct value *string(struct call *call)
{
    const struct value *value = call->arguments[0];
    return value->kind == VALUE_STRING ? value : done(call, call_text(call, value));
}

// ---- data URIs

static const struct value *data_uri(struct call *call)
{
    const struct value *value = call->arguments[0];
    struct text json_text = value->kind == VALUE_STRING ? value->string : call_json(call, value, '"');
    struct text encoded = json_text.base ? encode(call, json_text) : TEXT_NONE;
    const struct text parts[] = {value->kind == VALUE_STRING
                                     ? TEXT("data:text/plain;charset=utf-8;base64,")
                                     : TEXT("data:application/json;charset=utf-8;base64,"),
                                 encoded};
    return encoded.base ? done(call, call_join(call, parts, 2, TEXT(""))) : NULL;
}

// The parameters between the media type and the comma: charset and base64.
static bool read_data_parameters(struct text parameters, bool *base64_coded)
{
    *base64_coded = false;
    while (parameters.length > 0) {
        ptrdiff_t end = text_find(parameters, ';');
        struct text one = text_slice(parameters, 0, end < 0 ? parameters.length : (size_t)end);
        parameters = text_slice(parameters, end < 0 ? parameters.length : (size_t)end + 1, parameters.length);
        if (text_is_nocase(one, "base64"))
            *base64_coded = true;
        else if (text_starts_nocase(one, "charset=") && !text_is_nocase(one, "charset=utf-8") &&
                 !text_is_nocase(one, "charset=utf8") && !text_is_nocase(one, "charset=us-ascii"))
            return false;
    }
    return true;
}

static struct text percent_decoded(struct call *call, struct text text)
{
    struct text bytes;
    if (!call_spend(call, 1 + text.length / 32, text.length * 2) ||
        !text_percent_decode(call->e->arena, text, false, &bytes))
        return TEXT_NONE;
    return utf8_repair(call, bytes.base ? bytes : TEXT(""));
}

static const struct value *data_uri_to_string(struct call *call)
{
    struct text uri = only_string(call), text = TEXT_NONE;
    bool base64_coded = false, well_formed = false;
    if (!uri.base)
        return NULL;
    ptrdiff_t comma = text_find(uri, ',');
    if (comma >= 0 && text_starts_nocase(uri, "data:")) {
        struct text head = text_slice(uri, 5, (size_t)comma),
                    data = text_slice(uri, (size_t)comma + 1, uri.length);
        well_formed = read_data_parameters(head, &base64_coded);
        if (well_formed)
            text = base64_coded ? decode(call, data) : percent_decoded(call, data);
    }
    if (text.base || call->error->message)
        return done(call, text);
    if (well_formed && base64_coded)
        return call_fail(
            call, "The template language function 'dataUriToString' was invoked with a parameter that is "
                  "not valid. The value cannot be converted to the target type.");
    return call_fail(
        call,
        "The template language function 'dataUriToString' expects its parameter to be formatted as a "
        "valid data URI. The provided value '%.*s' was not formatted correctly.",
        SHOWN(uri));
}

// ---- case and blanks

static const struct value *to_lower(struct call *call)
{
    struct text text = only_string(call);
    if (!text.base || !call_spend(call, 1 + text.length / 16, text.length * 2))
        return NULL;
    return call_string(call, invariant_lower(call->e->arena, text));
}

static const struct value *to_upper(struct call *call)
{
    struct text text = only_string(call);
    if (!text.base || !call_spend(call, 1 + text.length / 16, text.length * 2))
        return NULL;
    return call_string(call, invariant_upper(call->e->arena, text));
}

static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

static const struct value *trim(struct call *call)
{
    struct text text = only_string(call);
    size_t from = 0, to;
    if (!text.base || !call_spend(call, 1 + text.length / 32, 0))
        return NULL;
    for (size_t at = 0; at < text.length && is_space(text_next_character(text, &at));)
        from = at;
    to = from;
    for (size_t at = from; at < text.length;)
        if (!is_space(text_next_character(text, &at)))
            to = at;
    return call_string(call, text_slice(text, from, to));
}

// ---- identities

static struct text joined(struct call *call)
{
    if (!call_spend(call, call->count, (call->count + 1) * sizeof(struct text)))
        return TEXT_NONE;
    struct text *parts = ARENA_ARRAY(call->e->arena, struct text, call->count + 1);
    for (size_t i = 0; i < call->count; i++) {
        if (call->arguments[i]->kind != VALUE_STRING) {
            call_fail_type(call, "parameters to be of type 'String'", call->arguments[i]);
            return TEXT_NONE;
        }
        parts[i] = call->arguments[i]->string;
    }
    struct text text = call_join(call, parts, call->count, TEXT("-"));
    return text.base && call_spend(call, text.length / 64, 64) ? text : TEXT_NONE;
}

static const struct value *guid(struct call *call)
{
    struct text text = joined(call);
    return text.base ? done(call, hash_guid(call->e->arena, text)) : NULL;
}

static const struct value *unique_string(struct call *call)
{
    struct text text = joined(call);
    return text.base ? done(call, hash_unique_string(call->e->arena, text)) : NULL;
}

static const struct value *new_guid(struct call *call)
{
    char *uuid = call_bytes(call, 36);
    if (!uuid)
        return NULL;
    uuid_random(uuid);
    return call_string(call, (struct text){uuid, 36});
}

#define ONLY_ONE(name) "The template language function '" name "' must have only one parameter."

const struct function functions_string[] = {
    {"base64", 1, 1, ANYWHERE, false, base64, ONLY_ONE("base64"), NULL},
    {"base64ToJson", 1, 1, ANYWHERE, false, base64_to_json, ONLY_ONE("base64ToJson"), NULL},
    {"base64ToString", 1, 1, ANYWHERE, false, base64_to_string, ONLY_ONE("base64ToString"), NULL},
    {"dataUri", 1, 1, ANYWHERE, false, data_uri, ONLY_ONE("dataUri"), NULL},
    {"dataUriToString", 1, 1, ANYWHERE, false, data_uri_to_string, ONLY_ONE("dataUriToString"), NULL},
    {"guid", 1, FUNCTION_MANY, ANYWHERE, false, guid, NULL, NULL},
    {"json", 1, 1, ANYWHERE, false, json, ONLY_ONE("json"), NULL},
    {"newGuid", 0, 0, AT_DEFAULT, false, new_guid, NULL, NULL},
    {"string", 1, 1, ANYWHERE, false, string, ONLY_ONE("string"), NULL},
    {"toLower", 1, 1, ANYWHERE, false, to_lower, ONLY_ONE("toLower"), NULL},
    {"toUpper", 1, 1, ANYWHERE, false, to_upper, ONLY_ONE("toUpper"), NULL},
    {"trim", 1, 1, ANYWHERE, false, trim, ONLY_ONE("trim"), NULL},
    {"uniqueString", 1, FUNCTION_MANY, ANYWHERE, false, unique_string, NULL, NULL},
    {0},
};
