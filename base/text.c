// Comparing, cutting, escaping and encoding text.
#include "base/text.h"

#include "base/arena.h"
#include "base/crypto.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.base, b.base, a.length) == 0);
}

bool text_is(struct text a, const char *b)
{
    return text_equal(a, text_of(b));
}

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.length != b.length)
        return false;
    if (a.length == 0 || memcmp(a.base, b.base, a.length) == 0) // the usual case, and a fast one
        return true;
    for (size_t i = 0; i < a.length; i++) {
        if (lower(a.base[i]) != lower(b.base[i]))
            return false;
    }
    return true;
}

int text_compare_nocase(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    for (size_t i = 0; i < shorter; i++) {
        int x = (unsigned char)a.base[i], y = (unsigned char)b.base[i];
        x = x >= 'A' && x <= 'Z' ? x + 32 : x;
        y = y >= 'A' && y <= 'Z' ? y + 32 : y;
        if (x != y)
            return x - y;
    }
    return (a.length > b.length) - (a.length < b.length);
}

bool text_is_nocase(struct text a, const char *b)
{
    return text_equal_nocase(a, text_of(b));
}

bool text_starts(struct text t, const char *prefix)
{
    size_t n = strlen(prefix);
    return t.length >= n && memcmp(t.base, prefix, n) == 0;
}

bool text_starts_nocase(struct text t, const char *prefix)
{
    size_t n = strlen(prefix);
    return t.length >= n && text_equal_nocase(text_slice(t, 0, n), text_of(prefix));
}

bool text_ends(struct text t, const char *suffix)
{
    size_t n = strlen(suffix);
    return t.length >= n && memcmp(t.base + t.length - n, suffix, n) == 0;
}

ptrdiff_t text_find(struct text t, char c)
{
    const char *p = t.length ? memchr(t.base, c, t.length) : NULL;
    return p ? p - t.base : -1;
}

ptrdiff_t text_rfind(struct text t, char c)
{
    const char *p = t.length ? memrchr(t.base, c, t.length) : NULL;
    return p ? p - t.base : -1;
}

ptrdiff_t text_search(struct text t, struct text needle)
{
    const char *p = needle.length <= t.length && t.length > 0
                        ? memmem(t.base, t.length, needle.base, needle.length)
                        : NULL;
    return p ? p - t.base : -1;
}

struct text text_trim(struct text t)
{
    while (t.length > 0 && (t.base[0] == ' ' || t.base[0] == '\t')) {
        t.base++;
        t.length--;
    }
    while (t.length > 0 && (t.base[t.length - 1] == ' ' || t.base[t.length - 1] == '\t'))
        t.length--;
    return t;
}

struct text text_copy(struct arena *arena, struct text t)
{
    return (struct text){arena_strndup(arena, t.base, t.length), t.length};
}

char *text_cstr(struct arena *arena, struct text t)
{
    return arena_strndup(arena, t.base, t.length);
}

static inline struct text mapped(struct arena *arena, struct text t, char (*map)(char))
{
    char *copy = arena_reserve(arena, t.length + 1);
    for (size_t i = 0; i < t.length; i++)
        copy[i] = map(t.base[i]);
    copy[t.length] = '\0';
    return (struct text){copy, t.length};
}

struct text text_lower(struct arena *arena, struct text t)
{
    return mapped(arena, t, lower);
}

struct text text_upper(struct arena *arena, struct text t)
{
    return mapped(arena, t, upper);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_percent_decode(struct arena *arena, struct text t, bool form, struct text *decoded)
{
    char *out = arena_alloc(arena, t.length + 1);
    size_t n = 0;
    for (size_t i = 0; i < t.length; i++) {
        char c = t.base[i];
        if (c == '%') {
            int high = i + 2 < t.length ? hex_digit(t.base[i + 1]) : -1;
            int low = i + 2 < t.length ? hex_digit(t.base[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        } else if (c == '\0') {
            return false;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    *decoded = (struct text){out, n};
    return true;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

struct text text_percent_encode(struct arena *arena, struct text t)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, t.length * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < t.length; i++) {
        unsigned char c = (unsigned char)t.base[i];
        if (unreserved((char)c)) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    out[n] = '\0';
    return (struct text){out, n};
}

// Length of the well-formed sequence at `p` (RFC 3629), or 0.
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return p[0] ? 1 : 0;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

// Eight bytes of ASCII at once: none with the high bit, none of zero.
static bool eight_plain(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return ((word | (word - 0x0101010101010101u)) & 0x8080808080808080u) == 0;
}

bool text_is_utf8(struct text t)
{
    const unsigned char *p = (const unsigned char *)t.base;
    for (size_t i = 0; i < t.length;) {
        if (t.length - i >= 8 && eight_plain(p + i)) {
            i += 8;
            continue;
        }
        size_t n = utf8_sequence(p + i, t.length - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

uint32_t text_next_character(struct text t, size_t *at)
{
    unsigned char first = (unsigned char)t.base[(*at)++];
    uint32_t character = first < 0x80   ? first
                         : first < 0xe0 ? first & 0x1fu
                         : first < 0xf0 ? first & 0x0fu
                                        : first & 0x07u;
    while (*at < t.length && ((unsigned char)t.base[*at] & 0xc0) == 0x80)
        character = character << 6 | ((unsigned char)t.base[(*at)++] & 0x3fu);
    return character;
}

bool text_to_int64(struct text t, int64_t *number)
{
    if (t.length == 0 || t.length > 18)
        return false;
    int64_t n = 0;
    for (size_t i = 0; i < t.length; i++) {
        if (t.base[i] < '0' || t.base[i] > '9')
            return false;
        n = n * 10 + (t.base[i] - '0');
    }
    *number = n;
    return true;
}

struct text text_hex(struct arena *arena, const void *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    char *out = arena_alloc(arena, length * 2 + 1);
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    return (struct text){out, length * 2};
}

bool text_unhex(struct arena *arena, struct text t, struct text *bytes)
{
    if (t.length % 2 != 0)
        return false;
    char *out = arena_alloc(arena, t.length / 2 + 1);
    for (size_t i = 0; i < t.length; i += 2) {
        int high = hex_digit(t.base[i]), low = hex_digit(t.base[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (char)(high * 16 + low);
    }
    *bytes = (struct text){out, t.length / 2};
    return true;
}

static struct text encode64(struct arena *arena, const void *bytes, size_t length, const char *alphabet,
                            bool padded)
{
    const unsigned char *p = bytes;
    char *out = arena_alloc(arena, (length + 2) / 3 * 4 + 1);
    size_t n = 0;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        unsigned v =
            (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        out[n++] = alphabet[v >> 18];
        out[n++] = alphabet[v >> 12 & 63];
        if (left > 1 || padded)
            out[n++] = left > 1 ? alphabet[v >> 6 & 63] : '=';
        if (left > 2 || padded)
            out[n++] = left > 2 ? alphabet[v & 63] : '=';
    }
    out[n] = '\0';
    return (struct text){out, n};
}

static const char alphabet_plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct text text_base64(struct arena *arena, const void *bytes, size_t length)
{
    return encode64(arena, bytes, length, alphabet_plain, true);
}

struct text text_base64url(struct arena *arena, const void *bytes, size_t length)
{
    return encode64(arena, bytes, length, alphabet_url, false);
}

// A character's place in the alphabet whose last two are `last` and `last_but_one`; -1: not in it.
static int value64(char c, char last_but_one, char last)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == last_but_one ? 62 : c == last ? 63 : -1;
}

// Strict: only the alphabet, and no bits left over, so that one value has one spelling.
static bool decode64(struct arena *arena, struct text t, const char *alphabet, struct text *bytes)
{
    if (t.length % 4 == 1)
        return false;
    unsigned char *out = arena_alloc(arena, t.length / 4 * 3 + 4);
    size_t n = 0;
    unsigned value = 0, bits = 0;
    for (size_t i = 0; i < t.length; i++) {
        int place = value64(t.base[i], alphabet[62], alphabet[63]);
        if (place < 0)
            return false;
        value = value << 6 | (unsigned)place;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (unsigned char)(value >> bits);
            value &= (1U << bits) - 1;
        }
    }
    *bytes = (struct text){(const char *)out, n};
    return value == 0;
}

bool text_unbase64(struct arena *arena, struct text t, struct text *bytes)
{
    if (t.length % 4 != 0)
        return false;
    while (t.length > 0 && t.base[t.length - 1] == '=' && t.length % 4 != 2)
        t.length--;
    return decode64(arena, t, alphabet_plain, bytes);
}

bool text_unbase64url(struct arena *arena, struct text t, struct text *bytes)
{
    return decode64(arena, t, alphabet_url, bytes);
}

struct text text_join(struct arena *arena, const struct text *parts, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += parts[i].length;
    char *out = arena_reserve(arena, length + 1), *at = out;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].length > 0)
            memcpy(at, parts[i].base, parts[i].length);
        at += parts[i].length;
    }
    *at = '\0';
    return (struct text){out, length};
}

size_t text_put_int64(int64_t number, char digits[24])
{
    char reversed[24];
    uint64_t rest = number < 0 ? (uint64_t)0 - (uint64_t)number : (uint64_t)number;
    size_t n = 0, length = 0;
    do {
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[length++] = '-';
    while (n > 0)
        digits[length++] = reversed[--n];
    digits[length] = '\0';
    return length;
}

// Random bytes for ids, drawn from the generator many at a time; each is used once.
static void draw(unsigned char bytes[16])
{
    enum { ROOM = 1024 };
    static _Thread_local struct {
        unsigned char bytes[ROOM];
        size_t left;
    } drawn;
    if (drawn.left == 0) {
        crypto_random(drawn.bytes, ROOM);
        drawn.left = ROOM;
    }
    drawn.left -= 16;
    memcpy(bytes, drawn.bytes + drawn.left, 16);
    memset(drawn.bytes + drawn.left, 0, 16);
}

void uuid_random(char uuid[37])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char b[16];
    draw(b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *at = uuid;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[b[i] >> 4];
        *at++ = digits[b[i] & 15];
    }
    *at = '\0';
}

bool uuid_is(struct text t)
{
    if (t.length != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? t.base[i] != '-' : hex_digit(t.base[i]) < 0)
            return false;
    }
    return true;
}
