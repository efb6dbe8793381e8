// The request of a deployment as a typed object (arm-templates 1.2): what az, the SDKs and nested deployments
// send. Checked against the members and values that there are, with the exact texts of InvalidRequestContent.
#pragma once
#include "templates/document.h"

enum content_level { LEVEL_PROVIDER, LEVEL_PROVIDER_NO_RBAC, LEVEL_TEMPLATE }; // validationLevel

struct content {
    const struct value *request; // the whole
    struct text location;        // as given; absent: none
    const struct value *tags;    // object of strings, or NULL
    // One of the two. A template that came as a JSON string is read already.
    const struct value *template, *template_link;
    const struct value *parameters, *parameters_link; // {"p":{"value":…}}, or NULL
    bool complete;                                    // mode
    // debugSetting.detailLevel: canonical ("none", "requestContent", …), absent where not given.
    struct text detail_level;
    bool debug_request, debug_response;
    enum { ON_ERROR_NONE, ON_ERROR_LAST_SUCCESSFUL, ON_ERROR_SPECIFIC } on_error;
    struct text on_error_name; // of the specific deployment
    bool inner;                // expressionEvaluationOptions.scope
    enum content_level level;
    bool resource_ids_only; // whatIfSettings.resultFormat
};

// The text of a body, `template:` raw in it as az sends it.
const struct content *content_read(struct arena *arena, struct text body, struct plan_error *error);
// The same of a value: `properties` of a nested deployment stand in an object of that name.
const struct content *content_of(struct arena *arena, const struct value *request, struct plan_error *error);
// What a parameters file or a request has of parameters: each entry {"value":…}. A file's `$schema`,
// `contentVersion` and `parameters` are looked through (`$schema` may be missing); a bare {"p":{"value":…}}
// is taken too. NULL and the error when it is none.
const struct value *content_parameter_file(struct arena *arena, struct text file, struct plan_error *error);
// The same of a file that was read.
const struct value *content_parameters_of(struct arena *arena, const struct value *file,
                                          struct plan_error *error);
