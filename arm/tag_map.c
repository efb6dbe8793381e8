// Tags in bodies: 50 pairs, names and values within ARM's limits (arm-core 1.2), the order kept.
#include "arm/errors.h"
#include "arm/resource.h"

enum { TAGS = 50, NAME_LIMIT = 512, VALUE_LIMIT = 256 };

static size_t characters(struct text t)
{
    size_t count = 0;
    for (size_t i = 0; i < t.length; i++)
        count += ((unsigned char)t.base[i] & 0xc0) != 0x80;
    return count;
}

static bool name_sound(struct text name)
{
    for (size_t i = 0; i < name.length; i++) {
        unsigned char c = (unsigned char)name.base[i];
        if (c < 0x20 || c == 0x7f || strchr("<>%&\\?/", c))
            return false;
    }
    return true;
}

static struct text shortened(struct text t)
{
    return t.length > 100 ? text_slice(t, 0, 100) : t;
}

bool arm_tag_check(struct arm_call *call, struct text name, struct text value)
{
    size_t length = characters(name);
    if (length == 0 || length > NAME_LIMIT)
        arm_fail(call, ARM_INVALID_TAG_NAME_LENGTH, TEXT_ARG(shortened(name)));
    else if (!name_sound(name))
        arm_fail(call, ARM_INVALID_TAG_NAME, TEXT_ARG(shortened(name)));
    else if (characters(value) > VALUE_LIMIT)
        arm_fail(call, ARM_INVALID_TAG_VALUE_LENGTH, TEXT_ARG(shortened(name)));
    return !call->failed;
}

static bool seen_before(json_t *tags, const char *name)
{
    const char *other;
    json_t *value;
    json_object_foreach(tags, other, value)
    {
        if (strcmp(other, name) == 0)
            return false;
        if (text_equal_nocase(text_of(other), text_of(name)))
            return true;
    }
    return false;
}

bool arm_tags_of_body(struct arm_call *call, json_t *tags, struct text *json)
{
    struct buffer b = buffer_new(call->arena);
    json_begin_object(&b);
    if (tags && !json_is_null(tags)) {
        if (!json_is_object(tags)) {
            arm_fail_content(call, TEXT("tags"),
                             "System.Collections.Generic.Dictionary`2[System.String,System.String]", "tags");
            return false;
        }
        if (json_object_size(tags) > TAGS) {
            arm_fail(call, ARM_TOO_MANY_TAGS, json_object_size(tags));
            return false;
        }
        const char *name;
        json_t *value;
        json_object_foreach(tags, name, value)
        {
            if (!json_is_string(value)) {
                arm_fail_content(call, text_of(name), "System.String", "tags");
                return false;
            }
            struct text v = {json_string_value(value), json_string_length(value)};
            if (!arm_tag_check(call, text_of(name), v))
                return false;
            if (seen_before(tags, name)) {
                arm_fail(call, ARM_DUPLICATE_TAG, TEXT_ARG(text_of(name)));
                return false;
            }
            json_key_text(&b, name, v);
        }
    }
    json_end_object(&b);
    *json = buffer_done(&b);
    return true;
}
