// What the links of a deployment led to: fetched while no transaction is open, kept with the outermost
// deployment, so that whoever goes on with it asks nobody again.
#pragma once
#include "templates/deployment.h"
#include "templates/link.h"

// Those of one request, or of one look at a deployment.
struct deployment_links;
// What a call has fetched stays with it when it is run again.
struct deployment_links *deployment_links_of_call(struct arm_call *call);
// Of the deployment that is the outermost: its rows are looked at. The arena keeps what is found.
struct deployment_links *deployment_links_of(struct arena *arena, int64_t root);
void deployment_links_look_at(struct deployment_links *links, int64_t root);
// Whether some are yet to be fetched.
bool deployment_links_await(const struct deployment_links *links);
// plan_site.linked; the context is a struct deployment_site.
enum plan_linked deployment_links_find(void *context, struct arena *arena, const struct link *link,
                                       bool parameters, const struct value **content,
                                       struct plan_error *error);
// Fetches what is awaited: arm_call.meanwhile.
bool deployment_links_fetch(struct arm_call *call);
// Everything that was found, to be kept with the deployment of that id.
void deployment_links_keep(struct db_transaction *tx, const struct deployment_links *links, int64_t root);

// Of a step: these will be fetched when it is over and kept with `root`, and the job woken.
void deployment_links_postpone(const struct deployment_links *links, int64_t root, struct text job_id);
// job_set_meanwhile's.
void deployment_links_meanwhile(struct db_connection *connection, bool committed);

// A link to and from its sealed form.
struct text deployment_link_sealed(struct arena *arena, int64_t id, const struct link *link);
const struct link *deployment_link_opened(struct arena *arena, int64_t id, struct text sealed);
