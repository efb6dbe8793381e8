// azsacrd template check: evaluates a template off line, as a deployment of it would be, and prints its plan
// or what is wrong with it.
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/template_parameters.h"
#include "cli/template_print.h"

#include "arm/door.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/site.h"
#include "rp/provider.h"
#include "templates/content.h"
#include "templates/reader.h"
#include "templates/templates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The request's own limit, and what its other members may take.
enum { FILE_LIMIT = TEMPLATE_BYTES + 65536 };

// Who asks is nobody: ids that no site has.
static const char nobody[] = "00000000-0000-0000-0000-000000000000";

struct asked {
    const char *file, *parameters;
    char *const *values; // NAME=VALUE
    int value_count;
    const char *scope, *group, *subscription, *location, *name;
};

static bool read_file(struct arena *arena, const char *name, struct text *content)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (file == NULL) {
        fprintf(stderr, "azsacrd template check: %s: %m\n", name);
        return false;
    }
    char *bytes = arena_reserve(arena, FILE_LIMIT + 1);
    size_t length = fread(bytes, 1, FILE_LIMIT + 1, file);
    bool failed = ferror(file) != 0;
    if (failed)
        fprintf(stderr, "azsacrd template check: %s: %m\n", name);
    if (file != stdin)
        fclose(file);
    if (!failed && length > FILE_LIMIT) {
        fprintf(stderr,
                "%s: RequestContentTooLarge: The request content size exceeds the maximum size of 4 MB.\n",
                name);
        return false;
    }
    *content = (struct text){bytes, length};
    return !failed;
}

// ---- the site that is asked ----
static const struct value *object(struct arena *arena, const char *json)
{
    struct reader_error error;
    return reader_read(arena, text_of(json), NULL, &error);
}

static const struct value *group_object(struct arena *arena, struct text subscription, struct text group)
{
    struct buffer b = buffer_new(arena);
    json_begin_object(&b);
    json_key_format(&b, "id", "/subscriptions/%.*s/resourceGroups/%.*s", TEXT_ARG(subscription),
                    TEXT_ARG(group));
    json_key_text(&b, "name", group);
    json_key_string(&b, "type", "Microsoft.Resources/resourceGroups");
    json_key_string(&b, "location", site()->config->region);
    json_key_raw(&b, "properties", TEXT("{\"provisioningState\":\"Succeeded\"}"));
    json_end_object(&b);
    return object(arena, text_cstr(arena, buffer_done(&b)));
}

static const struct value *subscription_object(struct arena *arena, struct text subscription)
{
    return object(arena,
                  arena_printf(arena,
                               "{\"id\":\"/subscriptions/%.*s\",\"subscriptionId\":\"%.*s\",\"tenantId\":"
                               "\"%s\",\"displayName\":\"Off line\"}",
                               TEXT_ARG(subscription), TEXT_ARG(subscription), nobody));
}

static const struct value *scope_object(void *context, struct arena *arena, struct text subscription,
                                        struct text group)
{
    (void)context;
    // What stands in quotes in a name would end the text that is read here.
    if (text_find(subscription, '"') >= 0 || text_find(subscription, '\\') >= 0)
        return NULL;
    return group.base != NULL ? group_object(arena, subscription, group)
                              : subscription_object(arena, subscription);
}

static const struct value *environment_object(struct arena *arena)
{
    const struct config *c = site()->config;
    return object(
        arena,
        arena_printf(arena,
                     "{name:'AzureStack-User-%s',gallery:'%s/',graph:'%s/',portal:'%s/',graphAudience:'%s/',"
                     "activeDirectoryDataLake:'https://datalake.%s.%s/',batch:'https://batch.%s.%s/',"
                     "media:'https://media.%s.%s/',sqlManagement:'https://sql.%s.%s/',"
                     "vmImageAliasDoc:'%s/aliases.json',resourceManager:'%s/',"
                     "authentication:{loginEndpoint:'%s/adfs',audiences:['%s/'],tenant:'%s',"
                     "identityProvider:'ADFS'},suffixes:{acrLoginServer:'%s',"
                     "azureDatalakeAnalyticsCatalogAndJob:'azuredatalakeanalytics.%s.%s',"
                     "azureDatalakeStoreFileSystem:'azuredatalakestore.%s.%s',"
                     "azureFrontDoorEndpointSuffix:'azurefd.%s.%s',keyvaultDns:'.vault.%s.%s',"
                     "sqlServerHostname:'.sql.%s.%s',storage:'%s.%s'}}",
                     nobody, c->url_portal, c->url_graph, c->url_portal, c->url_graph, c->region, c->domain,
                     c->region, c->domain, c->region, c->domain, c->region, c->domain, c->url_portal,
                     c->url_management, c->url_adfs, c->url_management, nobody, c->acr_suffix, c->region,
                     c->domain, c->region, c->domain, c->region, c->domain, c->region, c->domain, c->region,
                     c->domain, c->region, c->domain));
}

// The scope that the template's schema is of, unless one is asked for; -1 when there is no such scope.
static int scope_of(const char *asked, const struct value *template)
{
    static const struct {
        const char *name, *schema;
        enum evaluation_scope scope;
    } scopes[] = {
        {"group", "/deploymentTemplate.json", SCOPE_RESOURCE_GROUP},
        {"subscription", "/subscriptionDeploymentTemplate.json", SCOPE_SUBSCRIPTION},
        {"managementGroup", "/managementGroupDeploymentTemplate.json", SCOPE_MANAGEMENT_GROUP},
        {"tenant", "/tenantDeploymentTemplate.json", SCOPE_TENANT},
    };
    struct text schema = value_text(VALUE_FIND(template, "$schema"));
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (asked != NULL ? text_is_nocase(text_of(asked), scopes[i].name)
                          : text_search(schema, text_of(scopes[i].schema)) >= 0)
            return (int)scopes[i].scope;
    }
    return asked != NULL ? -1 : SCOPE_RESOURCE_GROUP;
}

static void fill_site(struct arena *arena, const struct asked *asked, enum evaluation_scope scope,
                      struct plan_site *site_)
{
    struct text subscription = text_of(asked->subscription), group = text_of(asked->group);
    *site_ = (struct plan_site){
        .scope = scope,
        .subscription_id = scope <= SCOPE_SUBSCRIPTION ? subscription : TEXT_NONE,
        .resource_group = scope == SCOPE_RESOURCE_GROUP ? group : TEXT_NONE,
        .management_group = scope == SCOPE_MANAGEMENT_GROUP ? text_of("example") : TEXT_NONE,
        .location = scope != SCOPE_RESOURCE_GROUP ? text_of(asked->location) : TEXT_NONE,
        .deployment_name = text_of(asked->name),
        .resource_group_object =
            scope == SCOPE_RESOURCE_GROUP ? group_object(arena, subscription, group) : NULL,
        .subscription = scope <= SCOPE_SUBSCRIPTION ? subscription_object(arena, subscription) : NULL,
        .tenant = object(arena,
                         arena_printf(arena, "{id:'/tenants/%s',tenantId:'%s',displayName:'',countryCode:''}",
                                      nobody, nobody)),
        .deployer = object(
            arena, arena_printf(arena, "{objectId:'%s',tenantId:'%s',userPrincipalName:''}", nobody, nobody)),
        .environment = environment_object(arena),
        .now = clock_wall(),
        .scope_object = scope_object,
    };
}

// ---- the check ----
static int check(struct arena *arena, const struct asked *asked)
{
    struct plan_error error = {0};
    struct text file, parameter_file;
    if (!read_file(arena, asked->file, &file))
        return 2;
    struct reader_error unread = {0};
    const struct value *template = reader_read(arena, file, NULL, &unread);
    if (template == NULL) {
        fail_content(arena, &error, unread.path, unread.line, unread.column, "%s", unread.message);
        template_print_error(asked->file, file, &error);
        return 1;
    }
    const struct value *parameters = NULL;
    if (asked->parameters != NULL) {
        if (!read_file(arena, asked->parameters, &parameter_file))
            return 2;
        parameters = content_parameter_file(arena, parameter_file, &error);
        if (parameters == NULL) {
            template_print_error(asked->parameters, parameter_file, &error);
            return 1;
        }
    }
    for (int i = 0; i < asked->value_count; i++) {
        parameters = template_parameters_with(arena, template, parameters, asked->values[i]);
        if (parameters == NULL)
            return 2;
    }
    int scope = scope_of(asked->scope, template);
    if (scope < 0) {
        fprintf(stderr,
                "azsacrd template check: --scope is group, subscription, managementGroup or tenant\n");
        return 2;
    }
    struct plan_site asking;
    fill_site(arena, asked, (enum evaluation_scope)scope, &asking);
    struct plan *plan = plan_make(arena, &asking, template, parameters, NULL, &error);
    if (plan == NULL) {
        template_print_error(asked->file, file, &error);
        return 1;
    }
    if (template_print_unserved(arena, asked->file, file, plan) > 0)
        return 1;
    template_print_plan(arena, plan);
    return 0;
}

// A deployment is named after its template, as az does.
static const char *name_of(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    const char *dot = strrchr(name, '.');
    return dot != NULL && dot != name ? arena_strndup(arena, name, (size_t)(dot - name)) : name;
}

static bool plain_name(const char *name)
{
    return strcspn(name, "\"\\/'\n") == strlen(name) && name[0] != '\0';
}

int command_template(int argc, char **argv)
{
    struct option options[] = {
        {"parameters", false, "a file of parameters", NULL},
        {"scope", false, "group, subscription, managementGroup or tenant; else the template's schema says it",
         NULL},
        {"group", false, "the name that resourceGroup() answers (example)", NULL},
        {"subscription", false, "the id that subscription() answers", NULL},
        {"location", false, "of the deployment, at the other scopes", NULL},
        {"name", false, "of the deployment (the file's)", NULL},
        {"state", false, "the state directory, for the site's names and api_versions", NULL},
        {NULL, false, NULL, NULL},
    };
    static const char usage[] =
        "check FILE [NAME=VALUE ...] [FLAGS]\n"
        "(FILE may be - for the standard input; NAME=VALUE is a parameter, over those of "
        "--parameters)\n"
        "(ends with 0 and the plan, with 1 and what is wrong, with 2 when there is nothing "
        "to check)";
    int left = options_parse("template", usage, argc, argv, options);
    if (left < 0)
        return 2;
    if (left < 2 || strcmp(argv[0], "check") != 0) {
        options_usage(stderr, "template", usage);
        return 2;
    }
    struct arena *arena = arena_new();
    struct config *config = configure(arena, options[6].value, NULL, NULL, NULL);
    int status = 2;
    if (config != NULL) {
        struct site here = {.config = config};
        site_set(&here);
        provider_start();
        templates_start();
        arm_start();
        const struct asked asked = {
            .file = argv[1],
            .parameters = options[0].value,
            .values = argv + 2,
            .value_count = left - 2,
            .scope = options[1].value,
            .group = options[2].value ? options[2].value : "example",
            .subscription = options[3].value ? options[3].value : nobody,
            .location = options[4].value ? options[4].value : config->region,
            .name = options[5].value ? options[5].value : name_of(arena, argv[1]),
        };
        if (plain_name(asked.group) && plain_name(asked.subscription))
            status = check(arena, &asked);
        else
            fputs("azsacrd template check: --group and --subscription are names without quotes and slashes\n",
                  stderr);
        fflush(stdout);
    }
    arena_free(arena);
    return status;
}
