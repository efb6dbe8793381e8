// The admin user's two passwords: shown, and made anew one at a time.
#include "rp/registry_store.h"
#include "rp/types.h"

#include "arm/errors.h"
#include "base/arena.h"

#define DOCUMENT_ADMIN                                                                                       \
    "https://docs.microsoft.com/en-us/azure/container-registry/"                                             \
    "container-registry-authentication#admin-account"

static const struct db_statement read_statement = {
    "registry_credentials", "select r.password, r.password2 from acr.registry r where r.id = $1"};
static const struct db_statement regenerate_first = {
    "registry_regenerate_password",
    "update acr.registry set password = $2, password_stamp = password_stamp + 1 where id = $1"};
static const struct db_statement regenerate_second = {
    "registry_regenerate_password2",
    "update acr.registry set password2 = $2, password2_stamp = password2_stamp + 1 where id = $1"};

// Credential operations need the admin user.
static bool find(struct arm_call *call, enum arm_lock lock, struct registry_resource *registry)
{
    if (!registry_resource_of_path(call, lock, registry))
        return false;
    if (!registry->settings.admin_enabled)
        arm_fail(call, 400, "UnAuthorizedForCredentialOperations", FROM_PROVIDER,
                 "Cannot perform credential operations for %.*s as admin user is disabled. Kindly enable "
                 "admin user as "
                 "per docs: " DOCUMENT_ADMIN,
                 TEXT_ARG(arm_resource_id(call->arena, &registry->envelope)));
    return !call->failed;
}

static bool open_password(struct arm_call *call, int64_t id, const char *column, struct text sealed,
                          struct text *plain)
{
    const char *where = arena_printf(call->arena, "acr.registry/%lld/%s", (long long)id, column);
    return master_key_open(site()->master_key, call->arena, "registry-password", where, sealed, plain);
}

static void write_password(struct buffer *out, const char *name, struct text value)
{
    json_begin_object(out);
    json_key_string(out, "name", name);
    json_key_text(out, "value", value);
    json_end_object(out);
}

static void reply_credentials(struct arm_call *call, const struct registry_resource *registry)
{
    int64_t id = registry->envelope.id;
    const struct db_result *row = DB_RUN(call->tx, &read_statement, db_int(id));
    struct text first, second;
    if (db_rows(row) == 0)
        return; // the transaction failed: its opener answers
    if (!open_password(call, id, "password", db_get_bytes(row, 0, 0, call->arena), &first) ||
        !open_password(call, id, "password2", db_get_bytes(row, 0, 1, call->arena), &second)) {
        arm_fail(call, 500, "InternalServerError", FROM_PROVIDER,
                 "The credentials cannot be opened with the master key of this site.");
        return;
    }
    struct buffer out = buffer_new(call->arena);
    json_begin_object(&out);
    json_key_text(&out, "username", registry->envelope.name);
    json_key(&out, "passwords");
    json_begin_array(&out);
    write_password(&out, "password", first);
    write_password(&out, "password2", second);
    json_end_array(&out);
    json_end_object(&out);
    arm_reply(call, 200, buffer_done(&out));
}

void registry_list_credentials(struct arm_call *call)
{
    struct registry_resource registry;
    if (find(call, ARM_LOCK_NONE, &registry))
        reply_credentials(call, &registry);
}

void registry_regenerate_credential(struct arm_call *call)
{
    struct registry_resource registry;
    struct text name = TEXT_NONE;
    if (!find(call, ARM_LOCK_UPDATE, &registry) || !arm_body_text(call, call->body, "name", "name", &name))
        return;
    bool second = text_is_nocase(name, "password2");
    if (!second && !text_is_nocase(name, "password")) {
        arm_fail_content(call, name.base ? name : TEXT(""), "PasswordName", "name");
        return;
    }
    struct text sealed =
        registry_password_new(call->arena, registry.envelope.id, second ? "password2" : "password");
    DB_RUN(call->tx, second ? &regenerate_second : &regenerate_first, db_int(registry.envelope.id),
           db_bytes(sealed));
    reply_credentials(call, &registry);
}
