// Linked templates and parameters (arm-templates 1.2): where a link leads to, and a request with the contents
// of its links put in. Fetches nothing itself: plan_site.linked does.
#pragma once
#include "templates/content.h"

struct link {
    struct text uri;          // "https://host/path", without query
    struct text query;        // what the URI has behind '?', or absent: may be a secret
    struct text query_string; // queryString: the same, and for links that are relative to this one; or absent
    struct text content_version; // that it must be of, or absent
};

// A templateLink or parametersLink; `base` is where the template came from that it stands in, or NULL. False
// with *why, a sentence without its full stop.
bool link_read(struct arena *arena, const struct value *written, const struct link *base, struct link *link,
               const char **why);
// The whole address.
struct text link_url(struct arena *arena, const struct link *link);
// What it is read from again: {"uri","queryString"?,"contentVersion"?}, nothing relative. To be sealed.
const struct value *link_written(struct arena *arena, const struct link *link);
// As records and deployment() show it: {"uri","contentVersion"}, without any query.
const struct value *link_shown(struct arena *arena, const struct link *link, const struct value *content);
// What names it where there is no such thing yet: "uri" without query, "relativePath" or "id".
struct text link_name(struct arena *arena, const struct value *written);

// InvalidContentLink with its detail. `parameters`: of a parametersLink.
void link_fail(struct arena *arena, struct text name, bool parameters, const char *why,
               struct plan_error *error);

// What the links of a request came to. Values are NULL where there is no such link.
struct linked {
    struct link *template_link, *parameters_link;
    const struct value *template_shown, *parameters_shown;
};
// Looks for the contents of the request's links and puts them in: `template` and `parameters`.
enum plan_linked link_fill(struct arena *arena, const struct plan_site *site, struct content *content,
                           struct linked *linked, struct plan_error *error);
