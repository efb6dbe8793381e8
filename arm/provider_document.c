// A provider's document, made of the type tables (arm-core 2.3, decisions 40).
#include "arm/door_parts.h"
#include "arm/provider.h"
#include "arm/types.h"

bool provider_registration_free(const char *namespace_name)
{
    for (size_t i = 0; i < arm_type_count(); i++)
        if (text_is_nocase(text_of(namespace_name), arm_type_at(i)->namespace_name) &&
            arm_type_at(i)->arm_owned)
            return true;
    return false;
}

// The api-version that the hybrid profiles mean (decisions 54, arm-core 5); the first row that the type
// serves.
static const char *profile_version(const struct arm_type *type)
{
    static const struct {
        const char *namespace_name, *name, *version;
    } rows[] = {
        {"Microsoft.ContainerRegistry", NULL, "2019-05-01"},
        {"Microsoft.Authorization", "locks", "2016-09-01"},
        {"Microsoft.Authorization", NULL, "2015-07-01"},
        {"Microsoft.Resources", NULL, "2019-10-01"},
        {"Microsoft.Resources", NULL, "2016-06-01"},
        {"Microsoft.Insights", NULL, "2015-04-01"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].namespace_name, type->namespace_name) == 0 &&
            (!rows[i].name || strcmp(rows[i].name, type->name) == 0) &&
            version_in(type->versions, text_of(rows[i].version)))
            return rows[i].version;
    return NULL;
}

static void write_profiles(struct buffer *b, const struct arm_type *type)
{
    static const char *const profiles[] = {"2020-09-01-hybrid", "2019-03-01-hybrid", "2018-06-01"};
    const char *version = profile_version(type);
    if (!version)
        return;
    json_key(b, "apiProfiles");
    json_begin_array(b);
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        json_begin_object(b);
        json_key_string(b, "profileVersion", profiles[i]);
        json_key_string(b, "apiVersion", version);
        json_end_object(b);
    }
    json_end_array(b);
}

static void write_type(struct buffer *b, const struct arm_type *type, bool aliases)
{
    json_begin_object(b);
    json_key_string(b, "resourceType", type->name);
    json_key(b, "locations");
    json_begin_array(b);
    if (!type->arm_owned)
        json_text(b, text_of(site()->config->region));
    json_end_array(b);
    if (aliases)
        json_key_raw(b, "aliases", TEXT("[]"));
    json_key(b, "apiVersions");
    json_begin_array(b);
    for (const char *const *v = type->versions; *v; v++)
        json_text(b, text_of(*v));
    json_end_array(b);
    write_profiles(b, type);
    json_key_string(b, "capabilities", type->capabilities ? type->capabilities : "None");
    json_end_object(b);
}

// Two tables may serve one type (a list at the subscription and one in the group): it is listed once.
static bool listed_before(size_t index)
{
    const struct arm_type *type = arm_type_at(index);
    for (size_t i = 0; i < index; i++)
        if (strcmp(arm_type_at(i)->namespace_name, type->namespace_name) == 0 &&
            strcmp(arm_type_at(i)->name, type->name) == 0)
            return true;
    return false;
}

static void write_types(struct buffer *b, const char *namespace_name, bool aliases)
{
    json_begin_array(b);
    for (size_t i = 0; i < arm_type_count(); i++) {
        const struct arm_type *type = arm_type_at(i);
        if (strcmp(type->namespace_name, namespace_name) == 0 && *type->name && !listed_before(i))
            write_type(b, type, aliases);
    }
    json_end_array(b);
}

void provider_write_types(struct buffer *b, const char *namespace_name, bool aliases)
{
    json_begin_object(b);
    json_key(b, "value");
    write_types(b, namespace_name, aliases);
    json_end_object(b);
}

void provider_write(struct buffer *b, const char *namespace_name, const struct provider_document *document)
{
    struct text subscription = document->subscription_id;
    json_begin_object(b);
    if (subscription.base)
        json_key_format(b, "id", "/subscriptions/%.*s/providers/%s", TEXT_ARG(subscription), namespace_name);
    json_key_string(b, "namespace", namespace_name);
    json_key(b, "resourceTypes");
    write_types(b, namespace_name, document->aliases);
    if (subscription.base) {
        json_key_string(b, "registrationState", document->state);
        json_key_string(b, "registrationPolicy",
                        provider_registration_free(namespace_name) ? "RegistrationFree"
                                                                   : "RegistrationRequired");
    }
    json_end_object(b);
}
