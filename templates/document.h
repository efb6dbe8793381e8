// The structure of a template document (arm-templates 3, 10): its members, their types, counts and names are
// checked here, before any expression is looked at. Expressions stay the strings they are.
#pragma once
#include "templates/plan.h"

// Most of each that a template may have (arm-templates 10). Resources count again when copies are expanded.
enum {
    TEMPLATE_PARAMETERS = 256,
    TEMPLATE_VARIABLES = 512,
    TEMPLATE_RESOURCES = 800,
    TEMPLATE_OUTPUTS = 64,
    TEMPLATE_COPIES = 800,
    TEMPLATE_BYTES = 4194304,
    TEMPLATE_RESOURCE_BYTES = 1048576,
    TEMPLATE_EXPRESSION = 24576,
};

// ---- types (arm-templates 3.1) ----
enum template_kind {
    TEMPLATE_ANY, // 2.0: a node with neither a type nor a $ref (a discriminator's arm,
                  // `additionalProperties`)
    TEMPLATE_STRING,
    TEMPLATE_INT,
    TEMPLATE_BOOL,
    TEMPLATE_OBJECT,
    TEMPLATE_ARRAY,
};

struct template_type_member {
    struct text name;
    const struct template_type *type;
};
// What is said of members or items that are not named: anything, nothing (`false`), or one type.
struct template_rest {
    bool refused;
    const struct template_type *type; // NULL: anything, unless refused
};

struct template_type {
    enum template_kind kind;
    bool secure;              // securestring, secureObject
    bool nullable;            // 2.0
    const struct value *node; // as the template has it
    // 2.0: what $ref names, or NULL. Definitions may be recursive: follow this, do not expand it. The node's
    // own constraints hold besides those of what it refers to.
    const struct template_type *reference;
    const struct value *allowed_values; // array, or NULL
    struct template_bound {
        bool set;
        int64_t bound;
        const struct value *at; // where it is said
    } minimum, maximum, minimum_length, maximum_length;
    const struct template_type_member *properties;
    size_t property_count;
    struct template_rest additional; // additionalProperties
    const struct template_type *const *prefix_items;
    size_t prefix_count;
    struct template_rest items;
    // 2.0: the member whose text chooses one of `mapping`'s types; absent: none.
    struct text discriminator;
    const struct template_type_member *mapping;
    size_t mapping_count;
    bool sealed;
};
// "String", "SecureString", "Int", "Bool", "Object", "SecureObject", "Array", as records show it (7.1): that
// of what a $ref ends at. "Object" for an untyped node with a discriminator, else NULL.
const char *template_type_name(const struct template_type *type);
// The type itself, or what its $ref leads to in the end.
const struct template_type *template_type_base(const struct template_type *type);
// secure itself or by what it refers to.
bool template_type_secure(const struct template_type *type);
bool template_type_nullable(const struct template_type *type);

// ---- the parts ----
struct template_parameter {
    struct text name;
    const struct value *node; // its line and column are the parameter's in messages
    const struct template_type *type;
    const struct value *default_value; // NULL: none
};

struct template_function {
    struct text name;         // "ns.fn"
    const struct value *node; // {parameters, output}
    const struct template_parameter *parameters;
    size_t parameter_count;
    const struct template_type *output_type;
    const struct value *output;
};

struct template_copy { // a resource's or an output's; of a variable or a property: with input
    const struct value *node;
    struct text name;                                                   // absent: an output's
    const struct value *name_value, *count, *mode, *batch_size, *input; // NULL where absent
};

struct template_resource {
    const struct value *node; // its line and column are the resource's in messages
    struct text path;         // "properties.template.resources[0]", "….resources.symbol"
    struct text symbol;       // 2.0: its symbolic name, else absent
    bool existing;            // 2.0
    // The members as written; NULL where absent. name, type and scope are strings, apiVersion a string,
    // dependsOn an array of strings, copy an object, properties anything.
    const struct value *condition, *type, *api_version, *name, *location, *scope, *depends_on, *properties;
    const struct value *subscription_id, *resource_group;
    const struct template_copy *copy; // NULL: none
    const struct template_resource *children;
    size_t child_count;
};

struct template_output {
    struct text name;
    const struct value *node;
    const struct template_type *type;
    const struct value *value, *condition; // value is NULL where copy is set
    const struct template_copy *copy;
};

struct template_document {
    const struct value *root;
    struct text schema, content_version;
    bool version_2;                   // languageVersion 2.0
    bool symbolic;                    // resources is an object keyed by symbolic name
    struct text api_profile;          // absent: none
    bool has_parameters, has_outputs; // the sections are there, empty ones too
    const struct template_parameter *parameters;
    size_t parameter_count;
    const struct template_function *functions;
    size_t function_count;
    const struct value_member *variables; // without "copy"
    size_t variable_count;
    const struct template_copy *variable_copies; // top level "copy" of variables: name and input are set
    size_t variable_copy_count;
    const struct template_resource *resources;
    size_t resource_count;
    const struct template_output *outputs;
    size_t output_count;
    const struct template_type_member *definitions;
    size_t definition_count;
};

// Checks and reads a template. `path` is where it stands ("properties.template"). NULL and the error
// (InvalidRequestContent or InvalidTemplate, whole text) when its structure is not one.
const struct template_document *document_read(struct arena *arena, const struct value *root, const char *path,
                                              struct plan_error *error);
const struct template_parameter *document_parameter(const struct template_document *document,
                                                    struct text name);
// In any case; a copy of the variables is not among them.
const struct value_member *document_variable(const struct template_document *document, struct text name);
const struct template_function *document_function(const struct template_document *document, struct text name);

// ---- failures, for whoever reads on ----
// "The request content was invalid and could not be deserialized: '<what> Path '<path>', line <l>, position
// <p>.'.", `what` with its full stop.
void fail_content(struct arena *arena, struct plan_error *error, struct text path, uint32_t line,
                  uint32_t column, const char *format, ...) __attribute__((format(printf, 6, 7)));
// "Deployment template validation failed: '<inner>'.", `inner` with its full stop.
void fail_template(struct arena *arena, struct plan_error *error, struct text path, uint32_t line,
                   uint32_t column, const char *format, ...) __attribute__((format(printf, 6, 7)));
// A path's next step: ".name", "['odd name']" or "[3]".
struct text path_member(struct arena *arena, struct text path, struct text name);
struct text path_item(struct arena *arena, struct text path, size_t index);
