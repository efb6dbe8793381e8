// The lists of Microsoft.Authorization: pages by scope, each row for whom it may be shown.
#include "arm/authorization.h"
#include "arm/resource.h"

#include "base/arena.h"

void authorization_reply_page(struct arm_call *call, const struct authorization_page *page, struct text key,
                              const struct db_result *rows, size_t top)
{
    const char *action = call->operation->action;
    bool all = arm_may(call, action, key);
    size_t shown = 0, at = 0;
    struct buffer json = buffer_new(call->arena);
    json_begin_object(&json);
    json_key(&json, "value");
    json_begin_array(&json);
    for (; at < db_rows(rows) && at < AUTHORIZATION_EXAMINED && shown < top; at++) {
        if (!all && !arm_may(call, action, db_get(rows, at, page->scope_key)))
            continue;
        page->write(&json, call, rows, at);
        shown++;
    }
    json_end_array(&json);
    if (at < db_rows(rows)) {
        struct text scope = db_get(rows, at - 1, page->scope_key), name = db_get(rows, at - 1, page->name);
        const char *seen =
            arena_printf(call->arena, "%.*s%c%.*s", TEXT_ARG(scope), page->between, TEXT_ARG(name));
        json_key_string(&json, "nextLink", arm_next_link(call, text_of(seen)));
    }
    json_end_object(&json);
    arm_reply(call, 200, buffer_done(&json));
}
