// Finding a function by its name.
#include "templates/function.h"

#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

enum { MOST = 200 };
static const struct function *sorted[MOST];
static size_t count;

static int by_name(const void *a, const void *b)
{
    return strcasecmp((*(const struct function *const *)a)->name, (*(const struct function *const *)b)->name);
}

static void sort(void)
{
    static const struct function *const groups[] = {
        functions_array, functions_object,   functions_logic, functions_number, functions_string,
        functions_text,  functions_format,   functions_uri,   functions_date,   functions_lambda,
        functions_scope, functions_resource, functions_run,
    };
    for (size_t g = 0; g < sizeof groups / sizeof(struct function *); g++)
        for (const struct function *f = groups[g]; f->name && count < MOST; f++)
            sorted[count++] = f;
    qsort(sorted, count, sizeof(struct function *), by_name);
}

static int compare(struct text name, const char *other)
{
    size_t length = strlen(other);
    int order = strncasecmp(name.base, other, name.length < length ? name.length : length);
    return order ? order : (name.length > length) - (name.length < length);
}

static const struct function *search(struct text name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare(name, sorted[middle]->name);
        if (order == 0)
            return sorted[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct function *function_find(struct text name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sort);
    const struct function *found = search(name);
    if (found || !text_starts_nocase(name, "list") || text_find(name, '.') >= 0 || name.length == 4)
        return found;
    return search(TEXT("list*"));
}
