// What Unicode calls a letter or a decimal digit, without a locale: libc's iswalnum knows nothing but ASCII
// in the C locale that a service runs in.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// Of the basic plane, as .NET's Char.IsLetterOrDigit; false beyond it.
bool letter_or_digit(uint32_t character);

// The other case as .NET's invariant culture has it: one character for one, itself where there is none.
uint32_t letter_upper(uint32_t character);
uint32_t letter_lower(uint32_t character);
