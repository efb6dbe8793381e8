// Standard and custom numeric formats.
#include "templates/number_format.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRECISION = 100000 }; // more digits than anybody wants; what they cost is paid for

// A number in decimal: digits, and how many of them stand before the point. Exact for integers and floats.
struct decimal {
    bool negative;
    char *digits; // no leading zeros but a single one where nothing stands before the point
    size_t count, whole;
};

// Absolute value with `fraction` digits behind the point, rounded; the digits of integers go on with zeros.
static bool decimal_of(struct call *call, const struct value *number, int scale, size_t fraction,
                       struct decimal *d)
{
    size_t room = 400 + fraction;
    char *digits = call_bytes(call, room);
    if (!digits)
        return false;
    if (number->kind == VALUE_INTEGER) {
        uint64_t magnitude = number->integer < 0 ? 0 - (uint64_t)number->integer : (uint64_t)number->integer;
        size_t count = (size_t)snprintf(digits, room, "%llu", (unsigned long long)magnitude);
        for (int i = 0; i < scale; i++)
            digits[count++] = '0';
        if (magnitude == 0)
            count = 1;
        memset(digits + count, '0', fraction);
        *d = (struct decimal){number->integer < 0, digits, count + fraction, count};
        return true;
    }
    double real = fabs(number->real);
    for (int i = 0; i < scale; i++)
        real *= 10;
    size_t length = (size_t)snprintf(digits, room, "%.*f", (int)fraction, real);
    size_t whole = strcspn(digits, ".");
    if (whole < length)
        memmove(digits + whole, digits + whole + 1, length - whole);
    *d = (struct decimal){signbit(number->real) && number->real != 0, digits, whole + fraction, whole};
    return true;
}

static bool is_zero(const struct decimal *d)
{
    return strspn(d->digits, "0") >= d->count;
}

static void put_whole(struct buffer *out, const struct decimal *d, bool grouped)
{
    for (size_t i = 0; i < d->whole; i++) {
        if (grouped && i > 0 && (d->whole - i) % 3 == 0)
            buffer_char(out, ',');
        buffer_char(out, d->digits[i]);
    }
}

static void put_fraction(struct buffer *out, const struct decimal *d)
{
    if (d->count > d->whole)
        buffer_char(out, '.');
    buffer_add(out, d->digits + d->whole, d->count - d->whole);
}

// F, N, P, C.
static bool fixed(struct call *call, const struct value *number, char kind, size_t precision,
                  struct buffer *out)
{
    struct decimal d;
    if (!decimal_of(call, number, kind == 'P' ? 2 : 0, precision, &d))
        return false;
    bool negative = d.negative && !is_zero(&d);
    if (negative)
        buffer_string(out, kind == 'C' ? "(\xc2\xa4" : "-");
    else if (kind == 'C')
        buffer_string(out, "\xc2\xa4");
    put_whole(out, &d, kind != 'F');
    put_fraction(out, &d);
    if (kind == 'P')
        buffer_string(out, " %");
    if (negative && kind == 'C')
        buffer_char(out, ')');
    return true;
}

// "d.ddd" and the exponent of printf's %e, written with at least `least` digits of exponent.
static void put_exponent(struct buffer *out, const char *text, char letter, size_t least)
{
    const char *e = strchr(text, 'e');
    long exponent = strtol(e + 1, NULL, 10);
    buffer_add(out, text, (size_t)(e - text));
    buffer_format(out, "%c%c%0*ld", letter, exponent < 0 ? '-' : '+', (int)least, labs(exponent));
}

static double as_double(const struct value *number)
{
    return number->kind == VALUE_INTEGER ? (double)number->integer : number->real;
}

static bool scientific(struct call *call, const struct value *number, char letter, size_t precision,
                       struct buffer *out)
{
    size_t room = precision + 40;
    char *text = call_bytes(call, room);
    if (!text)
        return false;
    if (number->kind == VALUE_INTEGER) {
        long double exact = (long double)number->integer;
        snprintf(text, room, "%.*Le", (int)precision, exact);
    } else {
        snprintf(text, room, "%.*e", (int)precision, as_double(number));
    }
    put_exponent(out, text, letter, 3);
    return true;
}

// G with a precision: the shorter of both forms, without zeros at the end.
static bool general(struct call *call, const struct value *number, char letter, size_t precision,
                    struct buffer *out)
{
    enum { SIGNIFICANT = 60 };
    char text[SIGNIFICANT + 40];
    if (precision > SIGNIFICANT)
        precision = SIGNIFICANT;
    if (!call_spend(call, 4, 0))
        return false;
    snprintf(text, sizeof text, "%.*Le", (int)precision - 1,
             number->kind == VALUE_INTEGER ? (long double)number->integer : (long double)number->real);
    long exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
    char *e = strchr(text, 'e');
    if (memchr(text, '.', (size_t)(e - text))) {
        char *end = e;
        while (end[-1] == '0')
            end--;
        end -= end[-1] == '.';
        memmove(end, e, strlen(e) + 1);
    }
    if (exponent >= (long)precision || exponent < -5) {
        put_exponent(out, text, letter == 'g' ? 'e' : 'E', 2);
        return true;
    }
    char plain[SIGNIFICANT + 400];
    long decimals = (long)(strchr(text, 'e') - text) - 2 - (text[0] == '-') - exponent;
    snprintf(plain, sizeof plain, "%.*Lf", decimals > 0 ? (int)decimals : 0, strtold(text, NULL));
    buffer_string(out, plain);
    return true;
}

static bool shortest(const struct value *number, struct buffer *out)
{
    char text[40];
    if (number->kind == VALUE_INTEGER)
        buffer_format(out, "%lld", (long long)number->integer);
    else
        buffer_text(out, value_put_float(number->real, text));
    return true;
}

static bool padded(struct call *call, const char *digits, size_t precision, bool negative, struct buffer *out)
{
    size_t length = strlen(digits);
    if (precision > length && !call_spend(call, precision / 16, precision * 2))
        return false;
    if (negative)
        buffer_char(out, '-');
    for (size_t i = length; i < precision; i++)
        buffer_char(out, '0');
    buffer_add(out, digits, length);
    return true;
}

// D and X, of integers only.
static bool of_integer(struct call *call, const struct value *number, char letter, size_t precision,
                       struct buffer *out)
{
    char digits[32];
    if (number->kind != VALUE_INTEGER)
        return false;
    bool negative = number->integer < 0 && toupper(letter) == 'D';
    uint64_t bits = negative ? 0 - (uint64_t)number->integer : (uint64_t)number->integer;
    const char *form = letter == 'x' ? "x" : letter == 'X' ? "X" : "d";
    if (*form == 'd')
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)bits);
    else if (*form == 'x')
        snprintf(digits, sizeof digits, "%llx", (unsigned long long)bits);
    else
        snprintf(digits, sizeof digits, "%llX", (unsigned long long)bits);
    return padded(call, digits, precision, negative, out);
}

// "F2": a letter and up to nine digits. *precision is -1 where there are none.
static bool is_standard(struct text format, long *precision)
{
    *precision = -1;
    if (format.length == 0 || !isalpha((unsigned char)format.base[0]))
        return false;
    for (size_t i = 1; i < format.length; i++) {
        if (!isdigit((unsigned char)format.base[i]) || i > 9)
            return false;
        *precision = (*precision < 0 ? 0 : *precision) * 10 + (format.base[i] - '0');
    }
    return true;
}

static bool standard(struct call *call, const struct value *number, char letter, long precision,
                     struct buffer *out)
{
    size_t digits = precision < 0 ? 0 : (size_t)precision;
    if (precision > PRECISION)
        return false;
    switch (toupper(letter)) {
    case 'D':
    case 'X':
        return of_integer(call, number, letter, digits, out);
    case 'F':
    case 'N':
    case 'P':
    case 'C':
        return fixed(call, number, (char)toupper(letter), precision < 0 ? 2 : digits, out);
    case 'E':
        return scientific(call, number, letter, precision < 0 ? 6 : digits, out);
    case 'G':
        return digits == 0 ? shortest(number, out) : general(call, number, letter, digits, out);
    case 'R':
        return shortest(number, out);
    default:
        return false;
    }
}

// ---- custom formats

// What a section of a custom format asks for.
struct picture {
    size_t whole_zeros;    // digits before the point that are written in any case
    size_t whole_places;   // placeholders before the point
    size_t fraction_zeros; // the same behind it
    size_t fraction_places;
    size_t thousands; // commas at the end of the whole part: divided by 1,000 each
    bool grouped;
    int scale; // by "%" and "‰": powers of ten
};

// One sign of a format: what is quoted or escaped is text.
struct sign {
    struct text text;
    bool literal;
};

static bool next_sign(struct text format, size_t *at, struct sign *sign)
{
    if (*at >= format.length)
        return false;
    char c = format.base[*at];
    if (c == '\\' && *at + 1 < format.length) {
        *sign = (struct sign){text_slice(format, *at + 1, *at + 2), true};
        *at += 2;
        return true;
    }
    if (c == '\'' || c == '"') {
        size_t end = *at + 1;
        while (end < format.length && format.base[end] != c)
            end++;
        *sign = (struct sign){text_slice(format, *at + 1, end), true};
        *at = end < format.length ? end + 1 : end;
        return true;
    }
    *sign = (struct sign){text_slice(format, *at, *at + 1), !strchr("0#.,%", c)};
    ++*at;
    return true;
}

static struct picture picture_of(struct text section)
{
    struct picture p = {0};
    struct sign sign;
    bool point = false, zero = false;
    size_t commas = 0;
    for (size_t at = 0; next_sign(section, &at, &sign);) {
        char c = sign.literal ? 'x' : sign.text.base[0];
        if (c == '.' && !point) {
            point = true;
            p.thousands = commas;
        }
        if (c == '%')
            p.scale = 2;
        if (c == ',' && !point && p.whole_places > 0)
            commas++;
        if (c != '0' && c != '#')
            continue;
        if (!point) {
            p.grouped = p.grouped || commas > 0;
            commas = 0;
            zero = zero || c == '0';
            p.whole_places++;
            p.whole_zeros += zero;
        } else {
            p.fraction_places++;
            if (c == '0')
                p.fraction_zeros = p.fraction_places;
        }
    }
    if (!point)
        p.thousands = commas;
    return p;
}

// The digits that a placeholder before the point stands for: the first one takes all that are too many.
static void put_digits(struct buffer *out, const struct decimal *d, const struct picture *p, size_t *left,
                       size_t take)
{
    for (; take > 0; take--, --*left) {
        if (*left <= d->whole)
            buffer_char(out, d->digits[d->whole - *left]);
        else
            buffer_char(out, '0');
        if (p->grouped && *left > 1 && (*left - 1) % 3 == 0)
            buffer_char(out, ',');
    }
}

static void put_section(struct buffer *out, struct text section, const struct decimal *d,
                        const struct picture *p)
{
    bool none = d->whole == 1 && d->digits[0] == '0'; // "#" writes no zero
    size_t digits = none ? 0 : d->whole;
    size_t left = digits > p->whole_zeros ? digits : p->whole_zeros;
    size_t places = p->whole_places, fraction = d->count, point = 0;
    while (fraction > d->whole + p->fraction_zeros && d->digits[fraction - 1] == '0')
        fraction--;
    struct sign sign;
    size_t written = 0;
    for (size_t at = 0; next_sign(section, &at, &sign);) {
        char c = sign.literal ? 'x' : sign.text.base[0];
        if (sign.literal || c == '%') {
            buffer_text(out, sign.text);
        } else if (c == '.' && !point++) {
            if (p->whole_places == 0)
                put_digits(out, d, p, &left, left);
            if (fraction > d->whole)
                buffer_char(out, '.');
        } else if ((c == '0' || c == '#') && point == 0) {
            size_t take = left > places ? left - places + 1 : left == places ? 1 : 0;
            put_digits(out, d, p, &left, take);
            places--;
        } else if ((c == '0' || c == '#') && d->whole + written < fraction) {
            buffer_char(out, d->digits[d->whole + written++]);
        }
    }
}

// "positive;negative;zero": the section for this number. *sign: whether a "-" is still to be written.
static struct text section_of(struct text format, const struct value *number, bool *sign)
{
    struct text sections[3];
    struct sign one;
    size_t count = 0, from = 0, before = 0;
    for (size_t at = 0; next_sign(format, &at, &one) && count < 3; before = at) {
        if (!one.literal || one.text.length != 1 || one.text.base != format.base + before ||
            *one.text.base != ';')
            continue;
        sections[count++] = text_slice(format, from, before);
        from = at;
    }
    if (count < 3)
        sections[count++] = text_slice(format, from, format.length);
    double real = as_double(number);
    *sign = real < 0;
    if (real < 0 && count > 1 && sections[1].length > 0) {
        *sign = false;
        return sections[1];
    }
    return real == 0 && count > 2 && sections[2].length > 0 ? sections[2] : sections[0];
}

static bool custom(struct call *call, const struct value *number, struct text format, struct buffer *out)
{
    bool sign;
    struct text section = section_of(format, number, &sign);
    struct picture picture = picture_of(section);
    struct decimal d;
    struct value divided = *number;
    if (picture.thousands > 0) {
        divided = (struct value){.kind = VALUE_FLOAT, .real = as_double(number)};
        for (size_t i = 0; i < picture.thousands && i < 100; i++)
            divided.real /= 1000;
    }
    if (!call_spend(call, 1 + format.length / 4, format.length * 2 + 800) ||
        !decimal_of(call, &divided, picture.scale, picture.fraction_places, &d))
        return false;
    if (sign && !is_zero(&d))
        buffer_char(out, '-');
    put_section(out, section, &d, &picture);
    return true;
}

bool number_format(struct call *call, const struct value *number, struct text format, struct buffer *out)
{
    long precision;
    if (number->kind == VALUE_FLOAT && !isfinite(number->real))
        return shortest(number, out);
    if (format.length == 0)
        return shortest(number, out);
    if (is_standard(format, &precision))
        return standard(call, number, format.base[0], precision, out);
    return custom(call, number, format, out);
}
