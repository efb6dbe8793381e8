// MurmurHash64 and what the language makes of it, UUIDs by name, and the hash of a template (arm-templates
// 2.1-2.4).
#include "templates/hash.h"

#include "base/crypto.h"
#include "base/letters.h"

enum { C1 = 0x239b961b };
static const uint32_t c2 = 0xab0e9789;

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

// Up to four bytes, the first the lowest.
static uint32_t lane(const unsigned char *p, size_t count)
{
    uint32_t word = 0;
    for (size_t i = 0; i < count && i < 4; i++)
        word |= (uint32_t)p[i] << (8 * i);
    return word;
}

static uint32_t mix1(uint32_t k)
{
    return rotate(k * C1, 15) * c2;
}

static uint32_t mix2(uint32_t k)
{
    return rotate(k * c2, 17) * C1;
}

static uint32_t finish(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x85ebca6b;
    h ^= h >> 13;
    h *= 0xc2b2ae35;
    return h ^ h >> 16;
}

uint64_t murmur64(struct text bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.base;
    uint32_t h1 = 0, h2 = 0, n = (uint32_t)bytes.length;
    size_t i = 0;
    for (; i + 7 < bytes.length; i += 8) {
        h1 = (rotate(h1 ^ mix1(lane(p + i, 4)), 19) + h2) * 5 + 0x561ccd1b;
        h2 = (rotate(h2 ^ mix2(lane(p + i + 4, 4)), 13) + h1) * 5 + 0x0bcaa747;
    }
    size_t left = bytes.length - i;
    if (left > 0)
        h1 ^= mix1(lane(p + i, left));
    if (left > 4)
        h2 ^= mix2(lane(p + i + 4, left - 4));
    h1 ^= n;
    h2 ^= n;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    h2 += h1;
    return (uint64_t)h2 << 32 | h1;
}

struct text hash_unique_string(struct arena *arena, struct text joined)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    enum { LENGTH = 13 };
    char *out = arena_reserve(arena, LENGTH + 1);
    uint64_t hash = murmur64(joined);
    for (size_t i = 0; i < LENGTH; i++) {
        out[i] = letters[hash >> 59];
        hash <<= 5;
    }
    out[LENGTH] = '\0';
    return (struct text){out, LENGTH};
}

struct text hash_guid(struct arena *arena, struct text joined)
{
    // The namespace 11fb06fb-712d-4ddd-98c7-e71bbd588830.
    static const struct text namespace_bytes = {
        "\x11\xfb\x06\xfb\x71\x2d\x4d\xdd\x98\xc7\xe7\x1b\xbd\x58\x88\x30", 16};
    unsigned char hash[20];
    crypto_sha1(TEXT_JOIN(arena, namespace_bytes, joined), hash);
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x50);
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    const char *hex = text_hex(arena, hash, 16).base;
    char *guid = arena_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return (struct text){guid, 36};
}

static size_t put_character(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(first[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

static struct text mapped(struct arena *arena, struct text text, uint32_t (*map)(uint32_t))
{
    // A few characters of two bytes have a partner of three.
    size_t beyond = 0;
    for (size_t i = 0; i < text.length; i++)
        beyond += (unsigned char)text.base[i] >= 0xc0;
    char *out = arena_reserve(arena, text.length + beyond * 2 + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.length;)
        n += put_character(out + n, map(text_next_character(text, &i)));
    out[n] = '\0';
    return (struct text){out, n};
}

struct text invariant_upper(struct arena *arena, struct text text)
{
    return mapped(arena, text, letter_upper);
}

struct text invariant_lower(struct arena *arena, struct text text)
{
    return mapped(arena, text, letter_lower);
}

struct text template_minified(struct arena *arena, const struct value *template)
{
    return invariant_upper(arena, value_to_json(arena, template));
}

struct text template_hash(struct arena *arena, const struct value *template)
{
    return text_of(
        arena_printf(arena, "%llu", (unsigned long long)murmur64(template_minified(arena, template))));
}
