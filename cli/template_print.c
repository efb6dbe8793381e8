// Plans and errors for people who read them in a terminal.
#include "cli/template_print.h"

#include "base/arena.h"
#include "templates/type_versions.h"

#include <stdio.h>

enum {
    SHOWN_WIDTH = 100, // of a line: templates are often one line
    SHOWN_ERRORS = 20, // of types and versions: they are mostly alike
};

// ---- errors ----
static bool find_line(struct text content, uint32_t number, struct text *line)
{
    size_t from = 0;
    for (uint32_t at = 1; at < number; at++) {
        const char *end = memchr(content.base + from, '\n', content.length - from);
        if (end == NULL)
            return false;
        from = (size_t)(end - content.base) + 1;
    }
    const char *end = memchr(content.base + from, '\n', content.length - from);
    *line = text_slice(content, from, end != NULL ? (size_t)(end - content.base) : content.length);
    if (line->length > 0 && line->base[line->length - 1] == '\r')
        line->length--;
    return true;
}

// Where the column's character begins: columns count UTF-16 units.
static size_t offset_of(struct text line, uint32_t column)
{
    size_t at = 0;
    uint32_t seen = 0;
    while (at < line.length) {
        size_t next = at + 1;
        while (next < line.length && ((unsigned char)line.base[next] & 0xc0) == 0x80)
            next++;
        seen += next - at == 4 ? 2 : 1;
        if (seen >= column)
            break;
        at = next;
    }
    return at;
}

static size_t character_start(struct text line, size_t at)
{
    while (at > 0 && at < line.length && ((unsigned char)line.base[at] & 0xc0) == 0x80)
        at--;
    return at;
}

// Controls would do something to the terminal.
static void print_plain(FILE *out, struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.base[i];
        fputc(c == '\t' || (c >= 0x20 && c != 0x7f) ? c : '?', out);
    }
}

static void print_source(struct text content, uint32_t number, uint32_t column)
{
    struct text line;
    if (number == 0 || !find_line(content, number, &line))
        return;
    size_t at = offset_of(line, column), from = 0, to = line.length;
    if (at > SHOWN_WIDTH - 20)
        from = character_start(line, at - (SHOWN_WIDTH - 20));
    if (to - from > SHOWN_WIDTH)
        to = character_start(line, from + SHOWN_WIDTH);
    fprintf(stderr, "%7u | ", number);
    print_plain(stderr, text_slice(line, from, to));
    fputs("\n        | ", stderr);
    for (size_t i = from; i < at && i < to; i++) {
        unsigned char c = (unsigned char)line.base[i];
        if ((c & 0xc0) != 0x80)
            fputc(c == '\t' ? '\t' : ' ', stderr);
    }
    fputs("^\n", stderr);
}

void template_print_error(const char *file, struct text content, const struct plan_error *error)
{
    if (error->line > 0)
        fprintf(stderr, "%s:%u:%u: ", file, error->line, error->column);
    else
        fprintf(stderr, "%s: ", file);
    fprintf(stderr, "%s: ", error->code);
    print_plain(stderr, text_of(error->message));
    fputc('\n', stderr);
    if (error->path.length > 0) {
        fputs("  at ", stderr);
        print_plain(stderr, error->path);
        fputc('\n', stderr);
    }
    print_source(content, error->line, error->column);
}

// ---- types and versions ----
static void check_one(struct arena *arena, const char *file, struct text content,
                      const struct plan_node *node, const struct plan_read *read, size_t *count)
{
    struct text type = read ? read->type : node->type, version = read ? read->api_version : node->api_version;
    struct type_failure failure;
    if (type.length == 0 || version.length == 0 ||
        type_served(arena, type, version, read ? TEXT_NONE : node->location, &failure) ||
        (*count)++ >= SHOWN_ERRORS)
        return;
    const struct value *at = VALUE_FIND(node->source, "apiVersion");
    bool of_version = strcmp(failure.code, "NoRegisteredProviderFound") == 0 && read == NULL && at != NULL;
    const struct plan_error error = {
        .code = failure.code,
        .message = failure.message,
        .path = of_version ? TEXT_JOIN(arena, node->path, TEXT(".apiVersion")) : node->path,
        .line = of_version ? at->line : node->line,
        .column = of_version ? at->column : node->column,
    };
    template_print_error(file, content, &error);
}

static void check_all(struct arena *arena, const char *file, struct text content, const struct plan *plan,
                      size_t *count)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (!node->deployed)
            continue;
        // A loop says the same of all its rounds.
        bool same = i > 0 && plan->nodes[i - 1].source == node->source &&
                    text_equal(plan->nodes[i - 1].api_version, node->api_version);
        if (!same)
            check_one(arena, file, content, node, NULL, count);
        for (size_t k = 0; !same && k < node->read_count; k++)
            check_one(arena, file, content, node, &node->reads[k], count);
        if (node->nested != NULL)
            check_all(arena, file, content, node->nested, count);
    }
}

size_t template_print_unserved(struct arena *arena, const char *file, struct text content,
                               const struct plan *plan)
{
    size_t count = 0;
    check_all(arena, file, content, plan, &count);
    if (count > SHOWN_ERRORS)
        fprintf(stderr, "and %zu more\n", count - SHOWN_ERRORS);
    return count;
}

// ---- the plan ----
// Numbers of the nodes in an order in which each stands behind what it waits for; their count.
static size_t order(struct arena *arena, const struct plan *plan, size_t *steps)
{
    size_t count = 0, before;
    bool *done = ARENA_ARRAY(arena, bool, plan->node_count + 1);
    do {
        before = count;
        for (size_t i = 0; i < plan->node_count; i++) {
            const struct plan_node *node = &plan->nodes[i];
            bool ready = node->deployed && !done[i];
            for (size_t k = 0; ready && k < node->dependency_count; k++)
                ready = done[node->dependencies[k].node];
            if (!ready)
                continue;
            done[i] = true;
            steps[count++] = i;
        }
    } while (count > before);
    return count;
}

static void print_text(struct text text)
{
    print_plain(stdout, text);
}

static void print_dependencies(const struct plan_node *node, const size_t *numbers, const char *margin)
{
    enum { MOST = 12 };
    if (node->dependency_count == 0)
        return;
    printf("%s      waits for ", margin);
    for (size_t i = 0; i < node->dependency_count && i < MOST; i++)
        printf("%s%zu", i > 0 ? ", " : "", numbers[node->dependencies[i].node]);
    if (node->dependency_count > MOST)
        printf(" and %zu more", node->dependency_count - MOST);
    putchar('\n');
}

static void print_reads(const struct plan_node *node, const char *margin)
{
    for (size_t i = 0; i < node->read_count; i++) {
        const struct plan_read *read = &node->reads[i];
        printf("%s      reads ", margin);
        if (read->action.base != NULL) {
            print_text(read->action);
            fputs(" of ", stdout);
        }
        print_text(read->id);
        if (read->api_version.length > 0)
            printf(" (%.*s)", TEXT_ARG(read->api_version));
        putchar('\n');
    }
}

static void print_nodes(struct arena *arena, const struct plan *plan, const char *margin)
{
    size_t *steps = ARENA_ARRAY(arena, size_t, plan->node_count + 1);
    size_t *numbers = ARENA_ARRAY(arena, size_t, plan->node_count + 1);
    size_t count = order(arena, plan, steps);
    for (size_t i = 0; i < count; i++)
        numbers[steps[i]] = i + 1;
    for (size_t i = 0; i < count; i++) {
        const struct plan_node *node = &plan->nodes[steps[i]];
        printf("%s%4zu  ", margin, i + 1);
        print_text(node->id);
        printf("\n%s      ", margin);
        print_text(node->type);
        printf(" %.*s", TEXT_ARG(node->api_version));
        if (node->location.length > 0) {
            fputs(" in ", stdout);
            print_text(node->location);
        }
        puts(node->body == NULL ? ", made complete in the run" : "");
        print_dependencies(node, numbers, margin);
        print_reads(node, margin);
        if (node->nested != NULL)
            print_nodes(arena, node->nested, arena_printf(arena, "%s      ", margin));
    }
}

static void print_left_out(const struct plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *node = &plan->nodes[i];
        if (node->deployed)
            continue;
        fputs(node->existing ? "   existing  " : "   left out  ", stdout);
        print_text(node->id);
        putchar('\n');
        if (node->nested != NULL)
            print_left_out(node->nested);
    }
}

void template_print_plan(struct arena *arena, const struct plan *plan)
{
    size_t count = plan_count(plan);
    printf("%zu resource%s, template hash %.*s\n", count, count == 1 ? "" : "s",
           TEXT_ARG(plan->template_hash));
    print_nodes(arena, plan, "");
    print_left_out(plan);
    const struct value *outputs = VALUE_FIND(plan->template, "outputs");
    if (!value_is(outputs, VALUE_OBJECT) || outputs->object.count == 0)
        return;
    fputs("outputs: ", stdout);
    for (size_t i = 0; i < outputs->object.count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        print_text(outputs->object.members[i].name);
    }
    putchar('\n');
}
