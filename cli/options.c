// Reading command lines.
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *out, const char *command, const struct option *options)
{
    fprintf(out, "flags of azsacrd %s:\n", command);
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

int options_parse(const char *command, int argc, char **argv, struct option *options)
{
    int left = 0;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            argv[left++] = argv[i];
            continue;
        }
        const char *name = argv[i] + 2, *equals = strchr(name, '=');
        struct option *o = find(options, name, equals ? (size_t)(equals - name) : strlen(name));
        if (o == NULL) {
            if (strcmp(name, "help") == 0) { // asked for, so it is the answer
                usage(stdout, command, options);
                exit(0);
            }
            fprintf(stderr, "azsacrd %s: unknown flag %s\n", command, argv[i]);
            usage(stderr, command, options);
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
