// What the types of Microsoft.Authorization share: the scope in the path, its row, ids, filters.
#pragma once
#include "arm/call.h"

// The scope that an extension resource hangs on: the root, a subscription, a group, a resource or its child.
struct authorization_scope {
    struct text path; // canonical literals, names as written: "/subscriptions/{s}/resourceGroups/{g}"; "/"
    struct text key;  // lower case
    struct text subscription_id, group;     // lower case, as written; absent where there is none
    struct text namespace_name, type, name; // "Microsoft.ContainerRegistry", "registries", "r"
};
// False when it is none; *scope is then undefined.
bool authorization_scope_parse(struct arena *arena, struct text path, struct authorization_scope *scope);
// {scope} of the route. False after a failure.
bool authorization_scope_of(struct arm_call *call, struct authorization_scope *scope);
// The row that the scope names, locked `for key share` until the commit. False after 404 or 409.
bool authorization_scope_lock(struct arm_call *call, const struct authorization_scope *scope);
// A JSON array of the keys of the scope and everything above it, for statements.
struct text authorization_ancestors(struct arena *arena, struct text key);

// "/subscriptions/{s}/providers/Microsoft.Authorization/roleDefinitions/{guid}", the form that az compares
// exactly; without a subscription when that is absent.
void authorization_definition_id(struct buffer *json, struct text subscription_id, struct text definition);

// {"properties":{…}} or the members alone: az sends both. False after a failure.
bool authorization_properties(struct arm_call *call, json_t **properties);

// The shapes of decisions 55's versions (arm-core 3.8).
enum authorization_shape { SHAPE_2015, SHAPE_2018, SHAPE_2020 };
enum authorization_shape authorization_shape_of(const struct arm_call *call);

// One term of a $filter whose terms are joined by "and": name(), name('value'), name eq 'value'.
struct authorization_term {
    struct text name;
    struct text value; // unquoted; absent for name()
    bool equals;
};
enum { AUTHORIZATION_TERMS = 3 };
// The terms of $filter, none when it is absent or empty. False after 400.
bool authorization_filter(struct arm_call *call, struct authorization_term terms[AUTHORIZATION_TERMS],
                          size_t *count);
void authorization_fail_filter(struct arm_call *call, const char *why);

// A page of a list by scope. Who may the operation's action at `key` sees every row; anybody else those at
// whose scope they may. $skiptoken is the last row's scope key and name with `between` in the middle.
enum { AUTHORIZATION_EXAMINED = 2000 }; // rows of a page, seen or not; statements read one more
struct authorization_page {
    size_t scope_key, name; // columns
    char between;
    void (*write)(struct buffer *json, struct arm_call *call, const struct db_result *rows, size_t row);
};
void authorization_reply_page(struct arm_call *call, const struct authorization_page *page, struct text key,
                              const struct db_result *rows, size_t top);
