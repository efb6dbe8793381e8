// From a template and its parameters to what a deployment does: checked, bound, copies expanded, ordered
// (arm-templates 3, 4.4, 6.1, 6.2). Needs no network and no database; what it must know of the site comes in.
#pragma once
#include "templates/expression.h"

struct link;       // templates/link.h
struct plan_error; // below
enum plan_linked {
    LINK_THERE,
    LINK_AWAITED, // it is yet to be fetched: then the plan is to be made again
    LINK_REFUSED, // with the error, or without one where there is nothing to say
};

// The deployment that asks, and what the scope functions answer. All values are ready objects.
struct plan_site {
    enum evaluation_scope scope;
    struct text subscription_id, resource_group, location; // of the deployment; absent where it has none
    struct text deployment_name;
    struct text management_group; // at SCOPE_MANAGEMENT_GROUP
    // What deployment() shows besides: "Incremental" or "Complete" (absent: Incremental), and debugSetting.
    struct text mode;
    const struct value *debug_setting; // or NULL
    const struct value *resource_group_object, *subscription, *tenant, *deployer, *environment;
    const struct value *template_link; // as deployment() shows it, or NULL
    const struct link *link;           // that relative ones start at, or NULL
    int64_t now;                       // microseconds
    // Other groups and subscriptions that nested deployments go to; NULL answers an error.
    const struct value *(*scope_object)(void *context, struct arena *arena, struct text subscription_id,
                                        struct text resource_group);
    // Content of a templateLink or parametersLink, an object; NULL: links are refused (InvalidContentLink).
    enum plan_linked (*linked)(void *context, struct arena *arena, const struct link *link, bool parameters,
                               const struct value **content, struct plan_error *error);
    // provider functions: providers(), and the api-versions that a profile gives (apiProfile).
    const struct value *(*providers)(void *context, struct arena *arena, struct text name, struct text type);
    void *context;
};

struct plan_error {
    const char *code;    // InvalidTemplate, InvalidRequestContent, InvalidContentLink, …
    const char *message; // whole, as the client reads it
    struct text path;    // "properties.template.…"; "" when unknown (additionalInfo TemplateViolation)
    uint32_t line, column;
    const char *detail;   // a sentence that says more, or NULL
    const char *tracking; // that the message names and the log explains, or NULL
};

struct plan_dependency {
    size_t node;   // index into nodes
    bool implicit; // by reference or list*
};
// A read of a run: what `dependencies` of the record lists besides (arm-templates 7.1).
struct plan_read {
    struct text id, type, name, api_version, action; // action: "listCredentials", absent for reference
};

struct plan_node { // one resource to be written, copies expanded; nested deployments are nodes too
    struct text id, type, name, api_version; // full id, full type ("NS/t1/t2"), full name ("a/b")
    // As records and messages name it: of an extension resource in the older forms
    // "NS/t/providers/locks" and "n/Microsoft.Authorization/lock"; else the same as type and name.
    struct text written_type, written_name;
    struct text location; // normalised; absent: none
    struct text symbol;   // symbolic name, or absent
    bool deployed;        // false: its condition said no (or `existing`)
    bool existing;
    // The body to be sent, where no run is needed for it; NULL otherwise: plan_body makes it then.
    const struct value *body;
    const struct value *source; // the resource as the template has it
    struct text path;           // of it: "properties.template.resources[0]"
    uint32_t line, column;      // of its type, which is where messages say that it is
    const struct evaluation_copy *copy;
    const struct plan_dependency *dependencies;
    size_t dependency_count;
    const struct plan_read *reads;
    size_t read_count;
    // For Microsoft.Resources/deployments: the plan of the nested one, where its parameters are known before
    // the run and its target answers the scope functions; NULL otherwise (made when it starts, of the
    // content). `nested_*` are where it goes to.
    struct plan *nested;
    // Its {location?, tags?, properties:{…}} as a request body would be; the same as `body`. Of the outer
    // scope: with everything of this template put in, so that it needs nothing but itself.
    const struct value *nested_content;
    enum evaluation_scope nested_scope;
    struct text nested_subscription_id, nested_resource_group, nested_management_group;
};

struct plan {
    struct text template_hash;    // decimal
    const struct value *template; // the document
    const struct value
        *parameters; // {"p":{"type":"String","value":…}}: as the record shows it; NULL: no section
    const struct value *bound; // {"p": value}: secure ones included; frozen defaults (utcNow, newGuid) too
    struct plan_node *nodes;   // in template order
    size_t node_count;
    bool has_outputs;
    struct plan_state *state; // its own
};

// A plan is not changed once it is made: several threads may run its nodes.
// A template (not yet checked) with {"p":{"value":…}} (or NULL). `frozen`: values of an earlier plan of the
// same deployment (its `bound`), or NULL. NULL and the error when it is refused.
struct plan *plan_make(struct arena *arena, const struct plan_site *site, const struct value *template,
                       const struct value *parameters, const struct value *frozen, struct plan_error *error);

// For the run: how reference() and list*() are answered (evaluation_hooks' last members; context is the
// caller's).
struct plan_run {
    void *context;
    // GET of a resource: the whole document ({id, name, type, location, properties, …}).
    const struct value *(*get)(void *context, struct arena *arena, struct text id, struct text api_version,
                               struct expression_error *error);
    const struct value *(*post)(void *context, struct arena *arena, struct text id, struct text action,
                                struct text api_version, const struct value *body,
                                struct expression_error *error);
};
// The body of a node whose body needs the run; also a nested deployment's content.
const struct value *plan_body(struct plan *plan, const struct plan_node *node, const struct plan_run *run,
                              struct arena *arena, struct plan_error *error);
// {"o":{"type":"String","value":…}}: secure ones without a value. NULL and every failure as details.
struct plan_output_error {
    struct text name;
    const char *message;
};
const struct value *plan_outputs(struct plan *plan, const struct plan_run *run, struct arena *arena,
                                 struct plan_output_error **errors, size_t *error_count);

// ---- what the record shows of it (arm-templates 7.1, 7.2) ----
const struct value *plan_providers(const struct plan *plan, struct arena *arena);
const struct value *plan_dependencies(const struct plan *plan, struct arena *arena);
// [{"id":…}], nested deployments and what is in them too. Only what is deployed.
const struct value *plan_validated_resources(const struct plan *plan, struct arena *arena);
// What the relative links of its nested deployments start at; NULL: nothing.
const struct link *plan_links_base(const struct plan *plan);
// How many nodes are deployed, nested ones (of known plans) and nested deployments counted.
size_t plan_count(const struct plan *plan);
