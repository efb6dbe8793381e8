// Cutting strings by UTF-16 units, and making UTF-8 of bytes.
#include "templates/utf16.h"

#define REPLACEMENT "\xef\xbf\xbd"

static size_t units_of(unsigned char lead)
{
    return lead >= 0xf0 ? 2 : 1;
}

// Of a lead byte of well-formed UTF-8.
static size_t bytes_of(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

// Where unit `index` begins from byte `at` on, which is unit `unit`; *half: it is the second of a pair, and
// the answer is where the pair begins.
static size_t offset_of(struct text t, size_t at, size_t unit, size_t index, bool *half)
{
    *half = false;
    while (unit < index && at < t.length) {
        unsigned char lead = (unsigned char)t.base[at];
        if (unit + units_of(lead) > index) {
            *half = true;
            return at;
        }
        unit += units_of(lead);
        at += bytes_of(lead);
    }
    return at < t.length ? at : t.length;
}

struct text utf16_slice(struct call *call, struct text t, size_t from, size_t count)
{
    bool half_first, half_last;
    if (count == 0)
        return TEXT("");
    if (!call_spend(call, 1 + t.length / 64, 0))
        return TEXT_NONE;
    size_t start = offset_of(t, 0, 0, from, &half_first);
    size_t end = offset_of(t, start, half_first ? from - 1 : from, from + count, &half_last);
    if (!half_first && !half_last)
        return text_slice(t, start, end);
    start += half_first ? 4 : 0;
    const struct text parts[] = {half_first ? TEXT(REPLACEMENT) : TEXT(""), text_slice(t, start, end),
                                 half_last ? TEXT(REPLACEMENT) : TEXT("")};
    return call_join(call, parts, 3, TEXT(""));
}

size_t utf8_character(struct text bytes)
{
    const unsigned char *b = (const unsigned char *)bytes.base;
    if (bytes.length == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    size_t length = b[0] >= 0xc2 && b[0] < 0xe0   ? 2
                    : b[0] >= 0xe0 && b[0] < 0xf0 ? 3
                    : b[0] >= 0xf0 && b[0] < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || bytes.length < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) || (b[0] == 0xf0 && b[1] < 0x90) ||
        (b[0] == 0xf4 && b[1] > 0x8f))
        return 0;
    return length;
}

struct text utf8_repair(struct call *call, struct text bytes)
{
    size_t at = 0, bad = 0;
    while (at < bytes.length) {
        size_t length = utf8_character(text_slice(bytes, at, bytes.length));
        bad += length == 0;
        at += length ? length : 1;
    }
    if (!call_spend(call, 1 + bytes.length / 32, 0))
        return TEXT_NONE;
    if (bad == 0)
        return bytes.base ? bytes : TEXT("");
    char *out = call_bytes(call, bytes.length + 2 * bad), *to = out;
    for (at = 0; out && at < bytes.length;) {
        size_t length = utf8_character(text_slice(bytes, at, bytes.length));
        to = length ? mempcpy(to, bytes.base + at, length) : mempcpy(to, REPLACEMENT, 3);
        at += length ? length : 1;
    }
    return out ? (struct text){out, (size_t)(to - out)} : TEXT_NONE;
}

size_t utf8_put(uint32_t c, char bytes[4])
{
    if (c < 0x80) {
        bytes[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(lead[length] | c);
    return length;
}
