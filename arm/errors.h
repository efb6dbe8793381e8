// The catalogue of ARM's errors: status, code, whose it is, and the sentence, which clients parse.
// arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(name))
#pragma once
#include "arm/call.h"

enum arm_origin {
    FROM_GATEWAY,  // {"error":{…}}, x-ms-failure-cause: gateway
    FROM_PROVIDER, // {"error":{…},"status":"Failed"}
};

// Rolls the handler's work back. The first failure of a call stands.
void arm_fail(struct arm_call *call, int status, const char *code, enum arm_origin origin, const char *format,
              ...) __attribute__((format(printf, 5, 6)));
// "target" of the failure just made, and one row of its details.
void arm_fail_target(struct arm_call *call, const char *target);
void arm_fail_detail(struct arm_call *call, const char *code, const char *target, const char *message);

struct arm_failure_detail {
    const char *code, *target, *message;
    struct arm_failure_detail *next;
};
struct arm_failure {
    int status;
    const char *code, *message, *target; // target may be NULL
    enum arm_origin origin;
    const char *challenge; // of a 401: the value of WWW-Authenticate
    const char *allow;     // of a 405
    unsigned retry_after;  // seconds, 0: none
    struct arm_failure_detail *details;
    // JSON arrays, or absent: details that are errors with members of their own, in place of `details`, and
    // additionalInfo.
    struct text details_json, additional_info;
};
// The error's body, in the form of its origin.
struct text arm_failure_body(struct arena *arena, const struct arm_failure *failure);

// ---- the front door ----
#define ARM_BAD_REQUEST 400, "BadRequest", FROM_GATEWAY, "The request is malformed: %s."
// In the edge's own words: it refuses most of them (deploy/).
#define ARM_REQUEST_TOO_LARGE                                                                                \
    413, "RequestEntityTooLarge", FROM_GATEWAY,                                                              \
        "The request content is larger than 4194304 bytes, the largest allowed size."
#define ARM_MISDIRECTED 421, "MisdirectedRequest", FROM_GATEWAY, "The host '%.*s' is not served here."
#define ARM_REFUSED(status) (status), "BadRequest", FROM_GATEWAY, "The request was refused: %s."
#define ARM_METHOD_NOT_SUPPORTED                                                                             \
    405, "HttpMethodNotSupported", FROM_GATEWAY, "The http method '%s' is not supported for this resource."
#define ARM_URL_NOT_FOUND 404, "HttpResourceNotFound", FROM_GATEWAY, "The request url %s is not found."
#define ARM_INTERNAL_ERROR                                                                                   \
    500, "InternalServerError", FROM_GATEWAY,                                                                \
        "Encountered internal server error. Diagnostic information: timestamp '%.*s', subscription id "      \
        "'%.*s', "                                                                                           \
        "tracking id '%s', request correlation id '%s'."
#define ARM_SERVER_TIMEOUT                                                                                   \
    503, "ServerTimeout", FROM_GATEWAY,                                                                      \
        "The request timed out. Diagnostic information: timestamp '%.*s', subscription id '%.*s', tracking " \
        "id "                                                                                                \
        "'%s', request correlation id '%s'."
#define ARM_THROTTLED                                                                                        \
    429, "SubscriptionRequestsThrottled", FROM_GATEWAY,                                                      \
        "Number of '%s' requests for subscription '%.*s' actor '%s' exceeded. Please try again after '%u' "  \
        "seconds."

// ---- who ----
#define ARM_NO_AUTHORIZATION                                                                                 \
    401, "AuthenticationFailed", FROM_GATEWAY, "Authentication failed. The 'Authorization' header is missing."
#define ARM_INVALID_TOKEN 401, "InvalidAuthenticationToken", FROM_GATEWAY, "The access token is invalid."
#define ARM_EXPIRED_TOKEN                                                                                    \
    401, "ExpiredAuthenticationToken", FROM_GATEWAY,                                                         \
        "The access token expiry UTC time '%.*s' is earlier than current UTC time '%.*s'."
#define ARM_WRONG_AUDIENCE                                                                                   \
    401, "InvalidAuthenticationTokenAudience", FROM_GATEWAY,                                                 \
        "The access token has been obtained from wrong audience or resource '%s'. It should exactly match "  \
        "(including forward slash) with one of the allowed audiences %s."
#define ARM_WRONG_TENANT                                                                                     \
    401, "InvalidAuthenticationTokenTenant", FROM_GATEWAY,                                                   \
        "The access token is from the wrong issuer '%s'. It must match the tenant '%s' associated with "     \
        "this "                                                                                              \
        "subscription. Please use the authority (URL) '%s' to get the token. Note, if the subscription is "  \
        "transferred to another tenant there is no impact to the services, but information about new "       \
        "tenant "                                                                                            \
        "could take time to propagate (up to an hour). If you just transferred your subscription and see "   \
        "this error message, please try back later."
#define ARM_AUTHORIZATION_FAILED                                                                             \
    403, "AuthorizationFailed", FROM_GATEWAY,                                                                \
        "The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope " \
        "'%.*s' or the scope is invalid. If access was recently granted, please refresh your credentials."

// ---- what ----
#define ARM_MISSING_API_VERSION                                                                              \
    400, "MissingApiVersionParameter", FROM_GATEWAY,                                                         \
        "The api-version query parameter (?api-version=) is required for all requests."
#define ARM_INVALID_API_VERSION                                                                              \
    400, "InvalidApiVersionParameter", FROM_GATEWAY,                                                         \
        "The api-version '%.*s' is invalid. The supported versions are '%s'."
#define ARM_NO_REGISTERED_PROVIDER                                                                           \
    400, "NoRegisteredProviderFound", FROM_GATEWAY,                                                          \
        "No registered resource provider found for location '%s' and API version '%.*s' for type '%s'. The " \
        "supported api-versions are '%s'. The supported locations are '%s'."
#define ARM_INVALID_TYPE                                                                                     \
    404, "InvalidResourceType", FROM_GATEWAY,                                                                \
        "The resource type '%.*s' could not be found in the namespace '%.*s' for api version '%.*s'."
#define ARM_INVALID_TYPE_AT_VERSION                                                                          \
    404, "InvalidResourceType", FROM_GATEWAY,                                                                \
        "The resource type '%s' could not be found in the namespace '%s' for api version '%.*s'. The "       \
        "supported "                                                                                         \
        "api-versions are '%s'."
#define ARM_INVALID_NAMESPACE                                                                                \
    404, "InvalidResourceNamespace", FROM_GATEWAY, "The resource namespace '%.*s' is invalid."
#define ARM_INVALID_SUBSCRIPTION_ID                                                                          \
    400, "InvalidSubscriptionId", FROM_GATEWAY,                                                              \
        "The provided subscription identifier '%.*s' is malformed or invalid."
#define ARM_SUBSCRIPTION_NOT_FOUND                                                                           \
    404, "SubscriptionNotFound", FROM_GATEWAY, "The subscription '%.*s' could not be found."
#define ARM_SUBSCRIPTION_DISABLED                                                                            \
    409, "ReadOnlyDisabledSubscription", FROM_GATEWAY,                                                       \
        "The subscription '%.*s' is disabled and therefore marked as read only. You cannot perform any "     \
        "write "                                                                                             \
        "actions on this subscription until it is re-enabled."
#define ARM_RESOURCE_GROUP_NOT_FOUND                                                                         \
    404, "ResourceGroupNotFound", FROM_GATEWAY, "Resource group '%.*s' could not be found."
#define ARM_RESOURCE_GROUP_BEING_DELETED                                                                     \
    409, "ResourceGroupBeingDeleted", FROM_GATEWAY,                                                          \
        "The resource group '%.*s' is in deprovisioning state and cannot perform this operation."
#define ARM_INVALID_RESOURCE_GROUP                                                                           \
    400, "InvalidResourceGroup", FROM_GATEWAY,                                                               \
        "The provided resource group name '%.*s' has these invalid characters: '%s'. The name can only be "  \
        "a "                                                                                                 \
        "letter, digit, '-', '.', '(', ')' or '_'."
#define ARM_RESOURCE_GROUP_NAME_ENDS_WITH_PERIOD                                                             \
    400, "InvalidResourceGroup", FROM_GATEWAY,                                                               \
        "The provided resource group name '%.*s' ends with a period, which is not allowed."
#define ARM_RESOURCE_GROUP_NAME_LENGTH                                                                       \
    400, "InvalidResourceGroup", FROM_GATEWAY,                                                               \
        "The provided resource group name '%.*s' has a length of '%zu', which exceeds the maximum length "   \
        "of "                                                                                                \
        "'90' characters."
#define ARM_INVALID_RESOURCE_GROUP_LOCATION                                                                  \
    409, "InvalidResourceGroupLocation", FROM_GATEWAY,                                                       \
        "Invalid resource group location '%.*s'. The Resource group already exists in location '%.*s'."
#define ARM_LOCATION_NOT_AVAILABLE_FOR_GROUP                                                                 \
    400, "LocationNotAvailableForResourceGroup", FROM_GATEWAY,                                               \
        "The provided location '%.*s' is not available for resource group. List of available regions is "    \
        "'%s'."
#define ARM_RESOURCE_GROUP_QUOTA                                                                             \
    409, "ResourceGroupQuotaExceeded", FROM_GATEWAY,                                                         \
        "Creating the resource group '%.*s' would exceed the quota of '%d' resource groups per "             \
        "subscription. The current resource group count is '%lld'. Please delete some resource groups "      \
        "before creating new ones."
#define ARM_INVALID_RESOURCE_NAME                                                                            \
    400, "InvalidResourceName", FROM_GATEWAY,                                                                \
        "The resource name '%.*s' is invalid: a name has 1 to 260 characters, and none of < > %% & : \\ ? "  \
        "/."
#define ARM_LOCATION_REQUIRED                                                                                \
    400, "LocationRequired", FROM_GATEWAY, "The location property is required for this definition."
#define ARM_LOCATION_NOT_AVAILABLE                                                                           \
    400, "LocationNotAvailableForResourceType", FROM_GATEWAY,                                                \
        "The provided location '%.*s' is not available for resource type '%s'. List of available regions "   \
        "for "                                                                                               \
        "the resource type is '%s'."
#define ARM_INVALID_RESOURCE_LOCATION                                                                        \
    409, "InvalidResourceLocation", FROM_GATEWAY,                                                            \
        "The resource '%.*s' already exists in location '%.*s' in resource group '%.*s'. A resource with "   \
        "the "                                                                                               \
        "same name cannot be created in location '%.*s'. Please select a new resource name."
#define ARM_RESOURCE_NOT_FOUND                                                                               \
    404, "ResourceNotFound", FROM_GATEWAY, "The Resource '%s/%.*s' under resource group '%.*s' was not found."
#define ARM_PARENT_NOT_FOUND                                                                                 \
    404, "ParentResourceNotFound", FROM_GATEWAY,                                                             \
        "Can not perform requested operation on nested resource. Parent resource '%.*s' not found."
#define ARM_MISSING_REGISTRATION                                                                             \
    409, "MissingSubscriptionRegistration", FROM_GATEWAY,                                                    \
        "The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for "    \
        "how "                                                                                               \
        "to register subscriptions."
#define ARM_RESOURCES_STILL_THERE                                                                            \
    409, "CannotUnregisterProvider", FROM_GATEWAY,                                                           \
        "The resource provider '%s' cannot be unregistered while the subscription holds resources of it."
#define ARM_SCOPE_LOCKED_SENTENCE                                                                            \
    "The scope '%.*s' cannot perform %s operation because following scope(s) are locked: '%.*s'. Please "    \
    "remove the lock and try again."
#define ARM_SCOPE_LOCKED 409, "ScopeLocked", FROM_GATEWAY, ARM_SCOPE_LOCKED_SENTENCE

#define ARM_PRECONDITION_FAILED                                                                              \
    412, "PreconditionFailed", FROM_PROVIDER,                                                                \
        "The condition specified using HTTP conditional header(s) is not met."

// ---- contents ----
#define ARM_INVALID_CONTENT                                                                                  \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: '%s. Path '%s', line %d, position "  \
        "%d.'."
#define ARM_CONTENT_MISSING                                                                                  \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: 'A JSON object is required. Path "   \
        "'', "                                                                                               \
        "line 1, position 0.'."
#define ARM_UNSUPPORTED_MEDIA_TYPE                                                                           \
    415, "UnsupportedMediaType", FROM_GATEWAY,                                                               \
        "The content media type '%.*s' is not supported. Only 'application/json' is supported."
#define ARM_TOO_MANY_TAGS                                                                                    \
    400, "TooManyTags", FROM_GATEWAY,                                                                        \
        "The number of tags '%zu' exceeds the maximum of '50' that a resource or resource group may have."
#define ARM_INVALID_TAG_NAME_LENGTH                                                                          \
    400, "InvalidTagName", FROM_GATEWAY,                                                                     \
        "The tag name '%.*s' has an invalid length. A tag name has 1 to 512 characters."
#define ARM_INVALID_TAG_NAME                                                                                 \
    400, "InvalidTagNameCharacters", FROM_GATEWAY,                                                           \
        "The tag name '%.*s' has reserved characters '<,>,%%,&,\\,?,/' or control characters."
#define ARM_INVALID_TAG_VALUE_LENGTH                                                                         \
    400, "InvalidTagValue", FROM_GATEWAY,                                                                    \
        "The value of the tag '%.*s' is too long. A tag value has at most 256 characters."
#define ARM_DUPLICATE_TAG                                                                                    \
    400, "InvalidTagName", FROM_GATEWAY, "The tag name '%.*s' is given twice; tag names are case-insensitive."
#define ARM_RESERVED_TAG_NAME                                                                                \
    400, "ReservedTagName", FROM_GATEWAY,                                                                    \
        "The tag name '%.*s' begins with one of the reserved prefixes 'microsoft', 'azure' and 'windows'."
#define ARM_TAG_NAME_NOT_FOUND 404, "TagNameNotFound", FROM_GATEWAY, "The tag name '%.*s' could not be found."
#define ARM_TAG_NAME_IN_USE                                                                                  \
    409, "TagNameInUse", FROM_GATEWAY,                                                                       \
        "The tag name '%.*s' cannot be deleted, because it is in use by '%lld' resources or resource "       \
        "groups."
#define ARM_TAG_NAME_HAS_VALUES                                                                              \
    409, "TagNameHasValues", FROM_GATEWAY,                                                                   \
        "The tag name '%.*s' cannot be deleted before its values are deleted."
#define ARM_TAG_VALUE_IN_USE                                                                                 \
    409, "TagValueInUse", FROM_GATEWAY,                                                                      \
        "The value '%.*s' of the tag name '%.*s' cannot be deleted, because it is in use by '%lld' "         \
        "resources or resource groups."

// ---- queries ----
#define ARM_INVALID_FILTER                                                                                   \
    400, "InvalidFilterInQueryString", FROM_GATEWAY,                                                         \
        "Invalid $filter '%.*s' specified in the query string: %s."
#define ARM_INVALID_EXPAND                                                                                   \
    400, "InvalidExpandInQueryString", FROM_GATEWAY,                                                         \
        "Invalid $expand '%.*s' specified in the query string: createdTime, changedTime and "                \
        "provisioningState are supported."
#define ARM_INVALID_SELECT                                                                                   \
    400, "InvalidSelectInQueryString", FROM_GATEWAY,                                                         \
        "Invalid $select '%.*s' specified in the query string: it names a property that an event does not "  \
        "have."
#define ARM_INVALID_TOP                                                                                      \
    400, "InvalidTopInQueryString", FROM_GATEWAY,                                                            \
        "Invalid $top '%.*s' specified in the query string: a number from 1 to 1000 is expected."
#define ARM_INVALID_SKIP_TOKEN                                                                               \
    400, "InvalidSkipToken", FROM_GATEWAY, "The $skiptoken specified in the query string is invalid."
#define ARM_OPERATION_NOT_FOUND                                                                              \
    404, "OperationNotFound", FROM_GATEWAY, "The operation '%.*s' could not be found."

// ---- batches ----
#define ARM_BATCH_MEMBER                                                                                     \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: 'Could not find member '%.*s' on "   \
        "object of type 'BatchRequest'. Path '%s'.'."
#define ARM_BATCH_REQUIRED                                                                                   \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: 'Required property '%s' not found "  \
        "in JSON. Path '%s'.'."
#define ARM_BATCH_TOO_MANY                                                                                   \
    400, "InvalidBatchRequest", FROM_GATEWAY,                                                                \
        "The batch has '%zu' requests; the largest allowed number is '20'."
#define ARM_BATCH_ITEM 400, "InvalidBatchRequest", FROM_GATEWAY, "The request of the batch is invalid: %s."
#define ARM_BATCH_CUT                                                                                        \
    503, "ServerTimeout", FROM_GATEWAY,                                                                      \
        "The batch was not completed: its first '%zu' requests were run, the others were not."

// ---- checkAccess ----
#define ARM_ACCESS_REQUIRED                                                                                  \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: 'Required property '%s' not found "  \
        "in JSON. Path ''.'."
#define ARM_ACCESS_TOO_MANY                                                                                  \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request asks about '%zu' actions; the largest allowed number is '500'."
#define ARM_ACCESS_ELSEWHERE                                                                                 \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The resource '%.*s' is neither the scope '%.*s' of the request nor below it."

// ---- Resource Graph: what is wrong stands in its details ----
#define ARM_GRAPH_FAILED                                                                                     \
    400, "BadRequest", FROM_GATEWAY,                                                                         \
        "Please provide below info when asking for support: timestamp = %.*s, correlationId = %s."
