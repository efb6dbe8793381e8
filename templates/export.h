// A template of resources as they stand (arm-templates 7): made of how each is shown, pure.
#pragma once
#include "templates/what_if_diff.h"

struct export_resource {
    struct text id, type, name; // "Microsoft.ContainerRegistry/registries/webhooks", "registry/hook"
    struct text api_version;
    const struct value *shown; // the answer to its GET
    what_if_read_only read_only;
};

struct export_options {
    bool default_values; // IncludeParameterDefaultValue
    bool comments;       // IncludeComments
    bool names_kept;     // SkipResourceNameParameterization, SkipAllParameterization
};

// The template's JSON. Parents come before their children.
struct text export_template(struct arena *arena, const struct export_resource *resources, size_t count,
                            const struct export_options *options);
