// Checks what a PUT or PATCH of a registry asks for.
#include "rp/registry_body.h"

#include "arm/errors.h"
#include "base/arena.h"

enum { RETENTION_DAYS_LIMIT = 365 };

struct registry_settings registry_settings_default(void)
{
    return (struct registry_settings){.quarantine_status = TEXT("disabled"),
                                      .trust_status = TEXT("disabled"),
                                      .retention_status = TEXT("disabled"),
                                      .retention_days = 7};
}

// ---- the SKU

static void fail_sku(struct arm_call *call, struct text sku)
{
    bool standard_only = text_is(text_of(site()->config->sku), "standard-only");
    arm_fail(call, 400, "SkuNotSupported", FROM_PROVIDER,
             "The requested SKU %.*s in sku.name is not supported. Supported SKUs: %s.", TEXT_ARG(sku),
             standard_only ? "Standard" : "Basic, Standard");
}

static bool read_sku_name(struct arm_call *call, struct text name, struct text *sku)
{
    static const char *const served[] = {"Standard", "Basic"};
    size_t count = text_is(text_of(site()->config->sku), "standard-only") ? 1 : 2;
    for (size_t i = 0; i < count; i++)
        if (text_is_nocase(name, served[i])) {
            *sku = text_of(served[i]);
            return true;
        }
    if (text_is_nocase(name, "Basic"))
        fail_sku(call, TEXT("Basic"));
    else if (text_is_nocase(name, "Premium"))
        fail_sku(call, TEXT("Premium"));
    else if (text_is_nocase(name, "Classic") || name.length == 0)
        arm_fail(call, 400, "ClassicSkuDeprecated", FROM_PROVIDER,
                 "Classic SKU is now deprecated. Please select a managed SKU. Kindly refer to docs for "
                 "instructions: https://aka.ms/acr/skus");
    else
        arm_fail_content(call, name, "SkuName", "sku.name");
    return false;
}

static bool read_sku(struct arm_call *call, bool required, struct registry_body *body)
{
    json_t *sku = NULL;
    struct text name = TEXT_NONE;
    if (!arm_body_object(call, call->body, "sku", "sku", &sku) ||
        (sku && !arm_body_text(call, sku, "name", "sku.name", &name)))
        return false;
    if (!name.base && !required)
        return true;
    return read_sku_name(call, name, &body->sku);
}

// ---- policies

static void fail_policy(struct arm_call *call, const char *feature, struct text sku)
{
    arm_fail(call, 400, "PolicyNotSupported", FROM_PROVIDER,
             "The requested feature %s is not supported for the SKU %.*s.", feature, TEXT_ARG(sku));
}

// A status of policies.<member>: "enabled" or "disabled" in any case. *status stays when it is not given.
static bool read_status(struct arm_call *call, const json_t *policy, const char *path, struct text *status)
{
    struct text value = TEXT_NONE;
    if (!arm_body_text(call, policy, "status", path, &value))
        return false;
    if (!value.base)
        return true;
    if (text_is_nocase(value, "disabled"))
        *status = TEXT("disabled");
    else if (text_is_nocase(value, "enabled"))
        *status = TEXT("enabled");
    else
        arm_fail_content(call, value, "PolicyStatus", path);
    return !call->failed;
}

// Where policies are being read: the object, its path with a dot behind it ("" at the top), the SKU that
// messages name.
struct policies {
    const json_t *object;
    const char *prefix;
    struct text sku;
};

// One policy of which only one status is offered; the other is refused by the feature's name. *policy: its
// object.
static bool read_policy(struct arm_call *call, const struct policies *policies, const char *member,
                        const char *feature, const char *offered, json_t **policy, struct text *status)
{
    const char *path = arena_printf(call->arena, "%s%s", policies->prefix, member);
    *policy = NULL;
    if (!arm_body_object(call, policies->object, member, path, policy))
        return false;
    if (!*policy)
        return true;
    if (!read_status(call, *policy, arena_printf(call->arena, "%s.status", path), status))
        return false;
    if (!text_is(*status, offered))
        fail_policy(call, feature, policies->sku);
    return !call->failed;
}

static bool read_trust_type(struct arm_call *call, const struct policies *policies, const json_t *trust)
{
    const char *path = arena_printf(call->arena, "%strustPolicy.type", policies->prefix);
    struct text type = TEXT_NONE;
    if (trust && !arm_body_text(call, trust, "type", path, &type))
        return false;
    if (type.base && !text_is_nocase(type, "Notary"))
        arm_fail_content(call, type, "TrustPolicyType", path);
    return !call->failed;
}

static bool read_retention_days(struct arm_call *call, const struct policies *policies,
                                const json_t *retention, int64_t *days)
{
    const char *path = arena_printf(call->arena, "%sretentionPolicy.days", policies->prefix);
    if (!retention)
        return true;
    if (!arm_body_int(call, retention, "days", path, days))
        return false;
    if (*days < 0 || *days > RETENTION_DAYS_LIMIT)
        arm_fail_content(call, text_of(arena_printf(call->arena, "%lld", (long long)*days)), "Int32", path);
    return !call->failed;
}

// Policies that only newer versions have: each is offered in one state. What a version's successors have is
// judged there too: nobody asks for it by mistake.
static bool read_newer_policies(struct arm_call *call, const struct policies *policies)
{
    static const struct {
        const char *member, *feature, *offered;
    } rows[] = {
        {"exportPolicy", "export policy", "enabled"},
        {"azureADAuthenticationAsArmPolicy", "Azure AD authentication as ARM policy", "enabled"},
        {"softDeletePolicy", "soft delete policy", "disabled"},
    };
    json_t *policy = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text status = text_of(rows[i].offered);
        if (!read_policy(call, policies, rows[i].member, rows[i].feature, rows[i].offered, &policy, &status))
            return false;
    }
    int64_t days = REGISTRY_SOFT_DELETE_DAYS; // the last policy's: nothing is kept for other days
    if (policy &&
        !arm_body_int(call, policy, "retentionDays",
                      arena_printf(call->arena, "%ssoftDeletePolicy.retentionDays", policies->prefix), &days))
        return false;
    if (days != REGISTRY_SOFT_DELETE_DAYS)
        fail_policy(call, "soft delete policy", policies->sku);
    return !call->failed;
}

bool registry_policies_read(struct arm_call *call, const json_t *object, const char *path, struct text sku,
                            struct registry_body *body)
{
    struct policies policies = {object, path[0] ? arena_printf(call->arena, "%s.", path) : "", sku};
    struct registry_settings *settings = &body->settings;
    unsigned members = registry_members_of(call->api_version);
    json_t *quarantine, *trust, *retention;
    body->has_policies = true;
    if (!read_policy(call, &policies, "quarantinePolicy", "quarantine policy", "disabled", &quarantine,
                     &settings->quarantine_status) ||
        !read_policy(call, &policies, "trustPolicy", "content trust policy", "disabled", &trust,
                     &settings->trust_status) ||
        !read_trust_type(call, &policies, trust))
        return false;
    if ((members & MEMBERS_POLICIES) &&
        (!read_policy(call, &policies, "retentionPolicy", "retention policy", "disabled", &retention,
                      &settings->retention_status) ||
         !read_retention_days(call, &policies, retention, &settings->retention_days)))
        return false;
    return !(members & MEMBERS_MODERN) || read_newer_policies(call, &policies);
}

// ---- network rules: everybody may come, which is all that is offered

static bool no_rules(struct arm_call *call, const json_t *rules, const char *member, struct text sku)
{
    const json_t *array = json_object_get(rules, member);
    if (!array || json_is_null(array))
        return true;
    if (!json_is_array(array))
        arm_fail_content(call, text_of(member), "Array",
                         arena_printf(call->arena, "properties.networkRuleSet.%s", member));
    else if (json_array_size(array) > 0)
        arm_fail(call, 400, "NetworkRuleNotSupported", FROM_PROVIDER,
                 "The requested feature virtual network rule is not supported for the SKU %.*s.",
                 TEXT_ARG(sku));
    return !call->failed;
}

static bool read_network_rules(struct arm_call *call, const json_t *properties, struct text sku)
{
    json_t *rules = NULL;
    struct text action = TEXT_NONE;
    if (!arm_body_object(call, properties, "networkRuleSet", "properties.networkRuleSet", &rules) ||
        (rules &&
         !arm_body_text(call, rules, "defaultAction", "properties.networkRuleSet.defaultAction", &action)))
        return false;
    if (!rules)
        return true;
    if (text_is_nocase(action, "Deny"))
        arm_fail(call, 400, "NetworkRuleNotSupported", FROM_PROVIDER,
                 "The requested feature virtual network rule is not supported for the SKU %.*s.",
                 TEXT_ARG(sku));
    else if (action.base && !text_is_nocase(action, "Allow"))
        arm_fail_content(call, action, "DefaultAction", "properties.networkRuleSet.defaultAction");
    return !call->failed && no_rules(call, rules, "virtualNetworkRules", sku) &&
           no_rules(call, rules, "ipRules", sku);
}

static bool read_properties(struct arm_call *call, struct text sku, struct registry_body *body)
{
    json_t *properties = NULL, *policies = NULL;
    unsigned members = registry_members_of(call->api_version);
    if (!arm_body_object(call, call->body, "properties", "properties", &properties))
        return false;
    if (!properties)
        return true;
    if (!arm_body_bool(call, properties, "adminUserEnabled", "properties.adminUserEnabled",
                       &body->settings.admin_enabled) ||
        !read_network_rules(call, properties, sku))
        return false;
    if ((members & MEMBERS_POLICIES) &&
        (!arm_body_object(call, properties, "policies", "properties.policies", &policies) ||
         (policies && !registry_policies_read(call, policies, "properties.policies", sku, body))))
        return false;
    return !(members & MEMBERS_MODERN) || registry_newer_members_read(call, properties, sku);
}

bool registry_body_read(struct arm_call *call, bool replace, struct text sku,
                        const struct registry_settings *settings, struct registry_body *body)
{
    *body = (struct registry_body){.settings = *settings, .tags = TEXT("{}")};
    json_t *tags = json_object_get(call->body, "tags");
    body->has_tags = replace || (tags && !json_is_null(tags));
    if (!read_sku(call, replace, body) || (body->has_tags && !arm_tags_of_body(call, tags, &body->tags)))
        return false;
    struct text shown = body->sku.base ? body->sku : sku;
    if ((registry_members_of(call->api_version) & MEMBERS_MODERN) && !registry_identity_read(call, shown))
        return false;
    return read_properties(call, shown, body);
}
