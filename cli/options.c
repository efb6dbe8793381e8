// Reading command lines.
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void options_usage(FILE *out, const char *command, const char *words)
{
    const char *before = "usage:";
    for (const char *line = words != NULL ? words : "[FLAGS]"; line != NULL; before = "      ") {
        const char *end = strchr(line, '\n');
        int length = end != NULL ? (int)(end - line) : (int)strlen(line);
        if (line[0] == '(')
            fprintf(out, "%.*s\n", length, line);
        else
            fprintf(out, "%s azsacrd %s %.*s\n", before, command, length, line);
        line = end != NULL ? end + 1 : NULL;
    }
}

static void usage(FILE *out, const char *command, const char *words, const struct option *options)
{
    options_usage(out, command, words);
    fprintf(out, "\nflags of azsacrd %s:\n", command);
    for (const struct option *o = options; o->name != NULL; o++)
        fprintf(out, "  --%s%-*s %s\n", o->name, (int)(22 - strlen(o->name)), o->flag ? "" : " VALUE",
                o->help);
}

static struct option *find(struct option *options, const char *name, size_t length)
{
    for (struct option *o = options; o->name != NULL; o++) {
        if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
            return o;
    }
    return NULL;
}

int options_parse(const char *command, const char *words, int argc, char **argv, struct option *options)
{
    int left = 0;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') { // "-" is the standard input
            if (words == NULL) {
                fprintf(stderr, "azsacrd %s: '%s' is not expected here\n", command, argv[i]);
                usage(stderr, command, words, options);
                return -1;
            }
            argv[left++] = argv[i];
            continue;
        }
        const char *name = argv[i] + 2, *equals = strchr(name, '=');
        struct option *o = NULL;
        if (argv[i][1] == '-')
            o = find(options, name, equals ? (size_t)(equals - name) : strlen(name));
        if (o == NULL) {
            if (strcmp(argv[i], "--help") == 0 ||
                strcmp(argv[i], "-h") == 0) { // asked for, so it is the answer
                usage(stdout, command, words, options);
                exit(0);
            }
            fprintf(stderr, "azsacrd %s: unknown flag %s\n", command, argv[i]);
            usage(stderr, command, words, options);
            return -1;
        }
        if (o->flag)
            o->value = "";
        else if (equals != NULL)
            o->value = equals + 1;
        else if (i + 1 < argc)
            o->value = argv[++i];
        else {
            fprintf(stderr, "azsacrd %s: --%s needs a value\n", command, o->name);
            return -1;
        }
    }
    return left;
}
