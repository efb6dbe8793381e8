// How often a test of chance or of races repeats itself.
#pragma once
#include <stdlib.h>

// `quick` where each change is tested; `thorough` where AZSACR_TEST_THOROUGH is set.
static inline int test_rounds(int quick, int thorough)
{
    return getenv("AZSACR_TEST_THOROUGH") ? thorough : quick;
}
