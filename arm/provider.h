// Resource providers: their document, made of the type tables (provider_document.c), and whether a
// subscription is registered with one (registration.c).
#pragma once
#include "arm/call.h"

// Namespaces of ARM's own need no registration.
bool provider_registration_free(const char *namespace_name);
// What a subscription without a row is: "Registered", or "NotRegistered" where the operator set
// `registration = required`.
const char *registration_initial(void);
// "Registered", "Unregistered" or "NotRegistered".
const char *registration_state(struct arm_call *call, const char *namespace_name);

struct provider_document {
    struct text subscription_id; // absent at tenant scope: no id, no state
    const char *state;
    bool aliases; // $expand=resourceTypes/aliases
};
void provider_write(struct buffer *b, const char *namespace_name, const struct provider_document *document);
// {"value":[…]} of its types, as /providers/{ns}/resourceTypes lists them.
void provider_write_types(struct buffer *b, const char *namespace_name, bool aliases);
// The operations of registering, which need the rows (registration.c).
void provider_register(struct arm_call *call);
void provider_unregister(struct arm_call *call);
// {namespace} of the route in its canonical casing; NULL after 404.
const char *provider_of_route(struct arm_call *call);
