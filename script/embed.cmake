# Turns INPUT into OUTPUT, a C file with the bytes as `embedded_SYMBOL` and their count.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "#include <stddef.h>
extern const unsigned char embedded_${SYMBOL}[];
extern const size_t embedded_${SYMBOL}_length;
const unsigned char embedded_${SYMBOL}[] = {${bytes}0x00};
const size_t embedded_${SYMBOL}_length = sizeof embedded_${SYMBOL} - 1;
")
