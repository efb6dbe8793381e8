// azsacrd user|sp add|list|set-password|enable|disable|remove: the directory's own commands. They print JSON;
// secrets go to 0600 files, never to the screen.
#include "cli/commands.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "cli/options.h"
#include "cli/site.h"
#include "db/database.h"
#include "rbac/directory.h"

#include <stdio.h>
#include <string.h>

static const struct db_statement person = {
    "person_by_name",
    "select object_id, app_id, upn from rbac.principal"
    " where kind = $2 and (lower(upn) = lower($1) or app_id::text = lower($1) or object_id::text = "
    "lower($1))",
};

struct request {
    struct arena *arena;
    const struct config *config;
    bool user;
    const char *verb, *name, *display_name, *password_file;
    struct text password;
    const char *why;
    const char *object_id, *app_id, *secret;
    struct text list;
};

static bool add(struct db_transaction *tx, struct request *r)
{
    if (r->user)
        r->object_id = directory_add_user(tx, r->config->tenant_id, r->name,
                                          r->display_name ? r->display_name : r->name, r->password, &r->why);
    else
        r->object_id = directory_add_service_principal(tx, r->config->tenant_id, r->name, &r->app_id,
                                                       &r->secret, &r->why);
    if (r->object_id == NULL)
        return false;
    r->object_id = arena_strdup(r->arena, r->object_id);
    return true;
}

// Whatever name the caller used, the answer tells the ids.
static void find(struct db_transaction *tx, struct request *r)
{
    const struct db_result *found =
        DB_RUN(tx, &person, db_string(r->name), db_string(r->user ? "User" : "ServicePrincipal"));
    if (db_rows(found) != 1)
        return;
    r->object_id = text_cstr(r->arena, db_get(found, 0, 0));
    if (r->user)
        r->name = text_cstr(r->arena, db_get(found, 0, 2));
    else
        r->app_id = text_cstr(r->arena, db_get(found, 0, 1));
}

static bool act(struct db_transaction *tx, void *argument)
{
    struct request *r = argument;
    bool ok = true;
    r->why = NULL;
    if (strcmp(r->verb, "add") != 0 && strcmp(r->verb, "list") != 0)
        find(tx, r);
    if (strcmp(r->verb, "add") == 0)
        ok = add(tx, r);
    else if (strcmp(r->verb, "list") == 0)
        r->list = text_copy(r->arena, directory_list(tx, r->user ? "User" : "ServicePrincipal"));
    else if (strcmp(r->verb, "set-password") == 0)
        ok = directory_set_password(tx, text_of(r->name), r->password, &r->secret, &r->why);
    else if (strcmp(r->verb, "remove") == 0)
        ok = directory_remove(tx, text_of(r->name), &r->why);
    else
        ok = directory_set_enabled(tx, text_of(r->name), strcmp(r->verb, "enable") == 0, &r->why);
    if (r->why != NULL)
        r->why = arena_strdup(r->arena, r->why);
    if (r->app_id != NULL)
        r->app_id = arena_strdup(r->arena, r->app_id);
    if (r->secret != NULL)
        r->secret = arena_strdup(r->arena, r->secret);
    return ok;
}

static int print(const struct request *r)
{
    if (r->list.base != NULL) {
        printf("%.*s\n", TEXT_ARG(r->list));
        return 0;
    }
    struct buffer b = buffer_new(r->arena);
    json_begin_object(&b);
    if (r->user)
        json_key_string(&b, "username", r->name);
    else if (r->app_id != NULL)
        json_key_string(&b, "appId", r->app_id);
    else
        json_key_string(&b, "name", r->name);
    if (r->object_id != NULL)
        json_key_string(&b, "objectId", r->object_id);
    const char *secret = r->user ? (r->password_file ? NULL : r->password.base) : r->secret;
    if (r->password_file != NULL)
        json_key_string(&b, "passwordFile", r->password_file);
    if (secret != NULL) {
        const char *path =
            arena_printf(r->arena, "%s/secrets/%s-%s", r->config->state, r->user ? "user" : "sp",
                         r->user || r->app_id == NULL ? r->name : r->app_id);
        if (!site_write_secret(path, secret)) {
            fprintf(stderr, "azsacrd: the secret cannot be written to %s\n", path);
            return 1;
        }
        json_key_string(&b, r->user ? "passwordFile" : "secretFile", path);
    }
    json_end_object(&b);
    printf("%.*s\n", TEXT_ARG(buffer_done(&b)));
    return 0;
}

static bool read_password(struct request *r)
{
    if (r->password_file == NULL) {
        r->password = text_of(crypto_random_password(r->arena, 24));
        return true;
    }
    char line[258] = "";
    FILE *file = fopen(r->password_file, "re");
    bool ok = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL)
        fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    r->password = text_of(arena_strdup(r->arena, line));
    if (!ok || r->password.length == 0 || r->password.length > 256)
        fprintf(stderr, "azsacrd: %s must hold one line of 1 to 256 bytes: the password\n", r->password_file);
    return ok && r->password.length > 0 && r->password.length <= 256;
}

static bool known_verb(const char *verb)
{
    static const char *const verbs[] = {"add", "list", "set-password", "enable", "disable", "remove"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    }
    return false;
}

// The name becomes part of a file's name and of messages.
static bool plain_name(const char *name)
{
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p <= 0x20 || *p == '/' || *p == 0x7f)
            return false;
    }
    return name[0] != '\0' && name[0] != '.' && strlen(name) <= 200;
}

static const char user_usage[] =
    "add NAME [--display-name TEXT] [--password-file FILE]\n"
    "set-password NAME [--password-file FILE]\n"
    "disable NAME            every token ends with the next request\n"
    "enable NAME\n"
    "remove NAME             with its role assignments\n"
    "list\n"
    "(NAME is a sign-in name, alice@site.example, or an object id; secrets go to files "
    "that the output names)";
static const char sp_usage[] = "add NAME                prints the appId, and the file with its secret\n"
                               "set-password APPID      a new secret; the old one ends\n"
                               "disable APPID           every token ends with the next request\n"
                               "enable APPID\n"
                               "remove APPID            with its role assignments\n"
                               "list\n"
                               "(APPID is an application id or an object id)";

static int run(const char *command, bool user, int argc, char **argv)
{
    // A service principal's name is its only one, and its secret is always made: it has the first flag only.
    struct option options[] = {
        {"state", false, "the state directory", NULL},
        {user ? "display-name" : NULL, false, "the name shown to people", NULL},
        {"password-file", false, "a file with the password; else a random one is made", NULL},
        {NULL, false, NULL, NULL},
    };
    const char *usage = user ? user_usage : sp_usage;
    int left = options_parse(command, usage, argc, argv, options);
    if (left < 0)
        return 2;
    if (left < 1 || !known_verb(argv[0]) || left != (strcmp(argv[0], "list") == 0 ? 1 : 2)) {
        options_usage(stderr, command, usage);
        return 2;
    }
    struct arena *arena = arena_new();
    struct request r = {.arena = arena,
                        .user = user,
                        .verb = argv[0],
                        .name = left > 1 ? argv[1] : NULL,
                        .display_name = options[1].value,
                        .password_file = options[2].value};
    int status = 1;
    struct config *config = configure(arena, options[0].value, NULL, NULL, NULL);
    struct site_session *session = NULL;
    bool wants_password = strcmp(r.verb, "add") == 0 || strcmp(r.verb, "set-password") == 0;
    if (r.name != NULL && !plain_name(r.name))
        fprintf(stderr, "azsacrd: a name has no blanks and no slashes, and at most 200 bytes\n");
    else if (config != NULL && (!user || !wants_password || read_password(&r)) &&
             (session = site_session_open(config, arena)) != NULL) {
        r.config = config;
        enum db_outcome outcome = db_transact(site_session_connection(session), act, &r);
        if (outcome == DB_COMMITTED)
            status = print(&r);
        else
            fprintf(stderr, "azsacrd: %s\n",
                    r.why ? r.why : "the database did not answer; is the site running?");
        site_session_close(session);
    }
    arena_free(arena);
    return status;
}

int command_user(int argc, char **argv)
{
    return run("user", true, argc, argv);
}

int command_sp(int argc, char **argv)
{
    return run("sp", false, argc, argv);
}
