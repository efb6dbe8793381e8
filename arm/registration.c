// Whether a subscription is registered with a provider (arm-core 2.3): the states, register and unregister,
// and the door's gate on writes. The change is done when the POST is answered; its answer says "Registering",
// as clients expect, and the next GET "Registered".
#include "arm/door_parts.h"
#include "arm/locks.h"
#include "arm/provider.h"

#include "base/arena.h"
#include "base/failpoint.h"

static const struct db_statement registration_find = {
    "arm_registration_find", "select r.state from arm.provider_registration r "
                             "where r.subscription_id = $1::uuid and r.namespace_key = $2"};
static const struct db_statement registration_set = {
    "arm_registration_set",
    "insert into arm.provider_registration (subscription_id, namespace_key, state) "
    "select s.subscription_id, $2, $3 from arm.subscription s where s.subscription_id = $1::uuid for key "
    "share "
    "on conflict (subscription_id, namespace_key) do update set state = excluded.state"};
static const struct db_statement any_resource = {
    "arm_registration_in_use", "select 1 from arm.resource r where r.subscription_id = $1::uuid "
                               "and r.type_key >= $2 and r.type_key < $3 limit 1"};

const char *registration_initial(void)
{
    return strcmp(site()->config->registration, "required") == 0 ? "NotRegistered" : "Registered";
}

const char *registration_state(struct arm_call *call, const char *namespace_name)
{
    if (provider_registration_free(namespace_name))
        return "Registered";
    struct text key = text_lower(call->arena, text_of(namespace_name));
    const struct db_result *row =
        DB_RUN(call->tx, &registration_find, db_text(call->subscription_id), db_text(key));
    return db_rows(row) > 0 ? text_cstr(call->arena, db_get(row, 0, 0)) : registration_initial();
}

static bool is_registered(const struct arm_call *call)
{
    struct text state = door_looked_registration(call);
    return provider_registration_free(call->type->namespace_name) ||
           text_is(state.base ? state : text_of(registration_initial()), "Registered");
}

bool door_registration(struct arm_call *call)
{
    const struct arm_type *type = call->type;
    if (type->arm_owned || !call->subscription_id.base || !door_writes(call) ||
        (call->operation->flags & ARM_UNREGISTERED_OK) || is_registered(call))
        return true;
    arm_fail(call, ARM_MISSING_REGISTRATION, type->namespace_name);
    arm_fail_detail(call, call->failure->code, type->namespace_name, call->failure->message);
    return false;
}

static bool in_use(struct arm_call *call, struct text key)
{
    const char *from = arena_printf(call->arena, "%.*s/", TEXT_ARG(key));
    const char *to = arena_printf(call->arena, "%.*s0", TEXT_ARG(key)); // "0" follows "/"
    return db_rows(DB_RUN(call->tx, &any_resource, db_text(call->subscription_id), db_string(from),
                          db_string(to))) > 0;
}

// With the writes waited for that make resources: who comes after them sees the new state. The door does not
// hold the locks for this one, so they are judged here.
static bool may_unregister(struct arm_call *call, struct text key, const char *name)
{
    arm_locks_alone(call->tx, call->subscription_id);
    if (!arm_locks_allow(call, call->scope, ARM_LOCK_WRITE))
        return false;
    failpoint("registration.in_use");
    if (in_use(call, key))
        arm_fail(call, ARM_RESOURCES_STILL_THERE, name);
    return !call->failed;
}

// {ns}/register/action and {ns}/unregister/action are judged here: the action's name comes from the URL.
static bool may_change(struct arm_call *call, const char *name, const char *verb)
{
    const char *action = arena_printf(call->arena, "%s/%s/action", name, verb);
    if (arm_may(call, action, call->scope))
        return true;
    arm_fail(call, ARM_AUTHORIZATION_FAILED, call->caller->name, call->caller->object_id, action,
             TEXT_ARG(call->scope));
    return false;
}

static void reply_provider(struct arm_call *call, const char *name, const char *state)
{
    struct buffer b = buffer_new(call->arena);
    provider_write(&b, name,
                   &(struct provider_document){.subscription_id = call->subscription_id, .state = state});
    arm_reply(call, 200, buffer_done(&b));
}

static void change(struct arm_call *call, const char *verb, const char *wanted, const char *going)
{
    const char *name = provider_of_route(call);
    if (!name || !may_change(call, name, verb))
        return;
    const char *state = registration_state(call, name);
    bool free_of_it = provider_registration_free(name);
    if (free_of_it || strcmp(state, wanted) == 0) { // nothing to do
        reply_provider(call, name, state);
        return;
    }
    struct text key = text_lower(call->arena, text_of(name));
    if (strcmp(wanted, "Unregistered") == 0 && !may_unregister(call, key, name))
        return;
    DB_RUN(call->tx, &registration_set, db_text(call->subscription_id), db_text(key), db_string(wanted));
    reply_provider(call, name, going);
}

void provider_register(struct arm_call *call)
{
    change(call, "register", "Registered", "Registering");
}

void provider_unregister(struct arm_call *call)
{
    change(call, "unregister", "Unregistered", "Unregistering");
}
