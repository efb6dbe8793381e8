// Case beyond ASCII as .NET's invariant culture has it.
#include "base/letters.h"

#include <check.h>

Suite *suite_letters(void);

static const struct {
    uint32_t character, upper, lower;
} letters[] = {
    {'a', 'A', 'a'},
    {'Z', 'Z', 'z'},
    {'[', '[', '['},
    {0xe9, 0xc9, 0xe9},  // é
    {0xff, 0x178, 0xff}, // ÿ: the upper case is far away
    {0x178, 0x178, 0xff},
    {0xb5, 0x39c, 0xb5},      // µ
    {0xdf, 0xdf, 0xdf},       // ß has no single upper case
    {0x131, 0x131, 0x131},    // ı would become ASCII
    {0x130, 0x130, 0x130},    // İ
    {0x17f, 0x17f, 0x17f},    // ſ
    {0x212a, 0x212a, 0x212a}, // the sign of Kelvin would become ASCII
    {0x101, 0x100, 0x101},    // every second one of a range
    {0x100, 0x100, 0x101},
    {0x1c6, 0x1c4, 0x1c6},    // ǆ: not its title case
    {0x1f80, 0x1f88, 0x1f80}, // where the full mapping is longer
    {0x3b1, 0x391, 0x3b1},
    {0x3c2, 0x3a3, 0x3c2}, // final sigma
    {0x44f, 0x42f, 0x44f},
    {0x10d0, 0x1c90, 0x10d0},
    {0x10428, 0x10400, 0x10428}, // beyond the basic plane
    {0x4e00, 0x4e00, 0x4e00},
    {0x10ffff, 0x10ffff, 0x10ffff},
};

START_TEST(case_of_letters)
{
    ck_assert_uint_eq(letter_upper(letters[_i].character), letters[_i].upper);
    ck_assert_uint_eq(letter_lower(letters[_i].character), letters[_i].lower);
}
END_TEST

Suite *suite_letters(void)
{
    Suite *suite = suite_create("letters");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, case_of_letters, 0, sizeof letters / sizeof *letters);
    suite_add_tcase(suite, all);
    return suite;
}
