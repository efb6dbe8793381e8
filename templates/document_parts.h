// What the files that read a template document share: document.c (the whole), document_types.c (parameters
// and type definitions), document_resources.c (resources and copies).
#pragma once
#include "templates/document.h"

struct document_reader {
    struct arena *arena;
    struct plan_error *error;
    struct template_document *document; // being made
    const struct value *definitions;    // the section, or NULL
    struct template_type *defined;      // their types, in the section's order
    size_t resource_count;              // children included
};

// Checks of typed objects. Each is true, or fails with the words of InvalidRequestContent.
// Every member is one of `names` (NULL-ended), in any case.
bool typed_members(struct document_reader *r, const struct value *object, const char *const *names,
                   const char *type, struct text path);
// The member in any case; of several the last. NULL where absent or null.
const struct value *typed_member(const struct value *object, const char *name);
// Of this kind, or fails as what cannot be converted to `type`.
bool typed_is(struct document_reader *r, const struct value *value, enum value_kind kind, const char *type,
              struct text path);
void typed_wrong(struct document_reader *r, const struct value *value, const char *type, struct text path);
// The mandatory member, or fails.
const struct value *typed_required(struct document_reader *r, const struct value *object, const char *name,
                                   struct text path);
// Absent: true and *value NULL.
bool typed_optional(struct document_reader *r, const struct value *object, const char *name,
                    enum value_kind kind, const char *type, struct text path, const struct value **value);
// No two names that differ only in case, none empty; `what` is "parameter", …
bool distinct_names(struct document_reader *r, const struct value *object, const char *what,
                    struct text path);

// A type node at `path`; `names` are its members that are no type's own ("defaultValue", …).
const struct template_type *read_type(struct document_reader *r, const struct value *node, struct text path,
                                      const char *object_type, const char *const *own);
bool read_definitions(struct document_reader *r, const struct value *definitions, struct text path);
bool read_parameters(struct document_reader *r, const struct value *parameters, struct text path);
bool read_functions(struct document_reader *r, const struct value *functions, struct text path);
bool read_outputs(struct document_reader *r, const struct value *outputs, struct text path);
bool read_variables(struct document_reader *r, const struct value *variables, struct text path);
bool read_resources(struct document_reader *r, const struct value *resources, struct text path,
                    const struct template_resource **out, size_t *count);
// `names` are the members that this copy may have, NULL-ended.
const struct template_copy *read_copy(struct document_reader *r, const struct value *node,
                                      const char *const *names, const char *type, struct text path);
