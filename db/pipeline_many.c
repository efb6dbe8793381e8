// Queries of one kind that wait at the same time, asked with one statement: PostgreSQL opens, checks and
// closes a statement once for all of them, and each costs it little more than its look-ups. Every query is
// still answered from rows read after it arrived, and with the version that the same statement read.
#include "db/pipeline_state.h"

#include "base/arena.h"
#include "base/buffer.h"

#include <string.h>

static bool can_share(const struct db_query *query)
{
    if (query->many == NULL || query->retried)
        return false;
    for (size_t i = 0; i < query->count; i++) {
        const struct db_value *value = &query->values[i];
        if (value->kind != DB_TEXT ||
            (value->text.length > 0 && memchr(value->text.base, '\0', value->text.length) != NULL))
            return false;
    }
    return true;
}

size_t pipeline_alike(const struct query_queue *waiting, size_t limit)
{
    const struct db_query *first = waiting->first;
    size_t count = 0;
    for (const struct db_query *query = first; query != NULL && count < limit; query = query->next) {
        if (query->many != first->many || query->count != first->count || !can_share(query))
            break;
        count++;
    }
    return count > 0 ? count : 1;
}

// An array's literal: elements in quotes, with quote and backslash escaped.
static struct text array_of(struct arena *arena, struct db_query *const *queries, size_t count, size_t value)
{
    struct buffer b = buffer_new(arena);
    for (size_t i = 0; i < count; i++) {
        struct text text = queries[i]->values[value].text;
        buffer_string(&b, i == 0 ? "{\"" : ",\"");
        for (size_t c = 0; c < text.length; c++) {
            if (text.base[c] == '"' || text.base[c] == '\\')
                buffer_char(&b, '\\');
            buffer_char(&b, text.base[c]);
        }
        buffer_char(&b, '"');
    }
    buffer_char(&b, '}');
    return buffer_done(&b);
}

bool pipeline_send_many(struct db_pipeline *p, struct db_query *const *queries, size_t count)
{
    const struct db_query *first = queries[0];
    struct session_parameters *v = &p->parameters;
    struct arena *arena = arena_new();
    struct db_value arrays[DB_QUERY_VALUES];
    for (size_t i = 0; i < first->count; i++)
        arrays[i] = db_text(array_of(arena, queries, count, i));
    bool sent = session_fill(v, arrays, first->count) &&
                PQsendQueryPrepared(p->pg, first->many->name, (int)first->count, v->values, v->lengths,
                                    v->formats, 0) == 1;
    arena_free(arena);
    return sent;
}

// places[i]: the row of the i-th query, counted from 1.
static bool find_rows(const PGresult *result, size_t count, size_t *places)
{
    int last = PQnfields(result) - 1;
    if (last < 0 || (size_t)PQntuples(result) != count)
        return false;
    memset(places, 0, count * sizeof *places);
    for (size_t row = 0; row < count; row++) {
        int64_t ordinal = 0;
        if (!text_to_int64(text_of(PQgetvalue(result, (int)row, last)), &ordinal) || ordinal < 1 ||
            (size_t)ordinal > count || places[ordinal - 1] != 0)
            return false;
        places[ordinal - 1] = row + 1;
    }
    return true;
}

bool pipeline_answer_many(struct db_query *const *queries, size_t count, PGresult *result)
{
    size_t places[PIPELINE_BATCH];
    if (!find_rows(result, count, places))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct db_result row = {.rows = result, .only = places[i]};
        queries[i]->done(queries[i], DB_COMMITTED, &row);
    }
    return true;
}
