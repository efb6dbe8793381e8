// Reading rows: text results of libpq as our types.
#include "db/session.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

size_t db_rows(const struct db_result *result)
{
    if (result == NULL || result->rows == NULL)
        return 0;
    return result->only > 0 ? 1 : (size_t)PQntuples(result->rows);
}

size_t db_affected(const struct db_result *result)
{
    if (result == NULL || result->rows == NULL)
        return 0;
    return (size_t)strtoull(PQcmdTuples(result->rows), NULL, 10);
}

static int row_of(const struct db_result *result, size_t row)
{
    return (int)(result->only > 0 ? result->only - 1 : row);
}

bool db_is_null(const struct db_result *result, size_t row, size_t column)
{
    return row >= db_rows(result) || column >= (size_t)PQnfields(result->rows) ||
           PQgetisnull(result->rows, row_of(result, row), (int)column);
}

struct text db_get(const struct db_result *result, size_t row, size_t column)
{
    if (db_is_null(result, row, column))
        return TEXT_NONE;
    return (struct text){PQgetvalue(result->rows, row_of(result, row), (int)column),
                         (size_t)PQgetlength(result->rows, row_of(result, row), (int)column)};
}

int64_t db_get_int(const struct db_result *result, size_t row, size_t column)
{
    struct text t = db_get(result, row, column);
    return t.base != NULL ? strtoll(t.base, NULL, 10) : 0;
}

bool db_get_bool(const struct db_result *result, size_t row, size_t column)
{
    struct text t = db_get(result, row, column);
    return t.length > 0 && t.base[0] == 't';
}

struct text db_get_bytes(const struct db_result *result, size_t row, size_t column, struct arena *arena)
{
    struct text t = db_get(result, row, column);
    struct text bytes = TEXT_NONE;
    if (t.base == NULL)
        return TEXT_NONE;
    if (t.length == 2 && memcmp(t.base, "\\x", 2) == 0)
        return (struct text){arena_strdup(arena, ""), 0};
    // Every session asks for the form "\x…".
    if (t.length < 2 || memcmp(t.base, "\\x", 2) != 0 ||
        !text_unhex(arena, text_slice(t, 2, t.length), &bytes))
        return TEXT_NONE;
    return bytes;
}
