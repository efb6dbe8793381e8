// What a deployment would change of one resource, from how it is shown before and after (arm-templates 7.4).
// Pure: it knows no type and asks nobody.
#pragma once
#include "templates/value.h"

// Members that no request sets: paths as "properties.loginServer" (items of an array have the array's), ended
// by NULL. Those that every type has
// (systemData, etag, properties.provisioningState) are known here. NULL: no others.
typedef const char *const *what_if_read_only;

// The resource as what-if shows it: members sorted by name, the api-version among them, without what is
// read-only, null, or an empty set of tags.
const struct value *what_if_snapshot(struct arena *arena, const struct value *resource,
                                     struct text api_version, what_if_read_only read_only);

// An array of {"path","propertyChangeType","before"?,"after"?,"children"?}: what differs between two
// snapshots. Objects are gone into by dotted paths, arrays by index. What is absent, null or empty is the
// same; what tells who the resource is (id, name, type, apiVersion) is not compared.
const struct value *what_if_delta(struct arena *arena, const struct value *before, const struct value *after);

// What a request's body says of read-only members, where the resource (as it is shown, not its snapshot) says
// otherwise: an array of {"path","propertyChangeType":"NoEffect","after"}.
const struct value *what_if_no_effect(struct arena *arena, const struct value *body,
                                      const struct value *resource, what_if_read_only read_only);
// The one behind the other.
const struct value *what_if_joined(struct arena *arena, const struct value *first,
                                   const struct value *second);
