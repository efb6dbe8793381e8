// A store that has no files: what object storage will be, in memory. What runs on it proves that nothing else
// knows files.
#pragma once
#include "rp/data/store_driver.h"

extern const struct store_driver store_memory;
