// The errors of deployments, for arm_fail (arm-templates 9.2).
#pragma once
#include "arm/errors.h"

#define DEPLOYMENT_NOT_FOUND 404, "DeploymentNotFound", FROM_GATEWAY, "Deployment '%.*s' could not be found."
#define DEPLOYMENT_OPERATION_NOT_FOUND                                                                       \
    404, "DeploymentOperationNotFound", FROM_GATEWAY, "The deployment operation '%.*s' could not be found."
#define DEPLOYMENT_NAME_INVALID                                                                              \
    400, "InvalidDeploymentName", FROM_GATEWAY,                                                              \
        "The deployment name '%.*s' is invalid: a name has 1 to 64 letters, digits, '-', '.', '(', ')' and " \
        "'_'."
#define DEPLOYMENT_TAGS_UNREADABLE                                                                           \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: 'A tag holds the character U+0000. " \
        "Path 'tags', line 1, position 0.'."
#define DEPLOYMENT_LOCATION_MISSING                                                                          \
    400, "InvalidDeployment", FROM_GATEWAY,                                                                  \
        "The 'location' property must be specified for '%.*s'. Please see "                                  \
        "https://aka.ms/deploy-to-subscription for usage details."
#define DEPLOYMENT_LOCATION_NOT_ALLOWED                                                                      \
    400, "InvalidDeployment", FROM_GATEWAY,                                                                  \
        "The 'location' property is not allowed for '%.*s' at resource group scope. Please see "             \
        "https://aka.ms/deploy-to-subscription for usage details."
#define DEPLOYMENT_LOCATION_NOT_AVAILABLE                                                                    \
    400, "LocationNotAvailableForDeployment", FROM_GATEWAY,                                                  \
        "The provided location '%.*s' is not available for deployment. List of available regions is '%s'."
#define DEPLOYMENT_SCOPE_NOT_SUPPORTED                                                                       \
    400, "InvalidDeploymentScope", FROM_GATEWAY,                                                             \
        "Deployments at %s scope are not supported here. Deploy to a resource group or to a subscription "   \
        "instead."
#define DEPLOYMENT_ACTIVE                                                                                    \
    409, "DeploymentActive", FROM_GATEWAY,                                                                   \
        "The deployment with resource id '%.*s' cannot be saved, because this would overwrite an existing "  \
        "deployment which is still active. If this is an intentional re-deployment, please wait for the "    \
        "original deployment to complete, or cancel it before re-attempting the operation. The previous "    \
        "deployment was started at '%.*s' with correlationId '%.*s', and will expire at '%.*s' if it does "  \
        "not complete before then. Please see https://aka.ms/arm-deploy-resources for usage details."
#define DEPLOYMENT_CANNOT_BE_DELETED                                                                         \
    409, "DeploymentActive", FROM_GATEWAY,                                                                   \
        "The deployment '%.*s' cannot be deleted, because it is still active: its provisioning state is "    \
        "'%.*s'. Please wait for it to complete, or cancel it first."
#define DEPLOYMENT_CANNOT_BE_CANCELLED                                                                       \
    409, "DeploymentCannotBeCancelled", FROM_GATEWAY,                                                        \
        "The deployment '%.*s' cannot be cancelled, because it has already completed: its provisioning "     \
        "state is '%.*s'."
#define DEPLOYMENT_QUOTA_EXCEEDED                                                                            \
    409, "DeploymentQuotaExceeded", FROM_GATEWAY,                                                            \
        "Creating the deployment '%.*s' would exceed the quota of '%d'. The current deployment count is "    \
        "'%lld', please delete some deployments before creating a new one. Please see "                      \
        "https://aka.ms/arm-deploy for usage details."
#define DEPLOYMENT_ON_ERROR_SCOPE                                                                            \
    400, "InvalidDeployment", FROM_GATEWAY,                                                                  \
        "The 'onErrorDeployment' property is allowed only for deployments of a resource group that are not " \
        "nested."
#define DEPLOYMENT_ON_ERROR_NONE                                                                             \
    400, "DeploymentFailed", FROM_GATEWAY,                                                                   \
        "The 'onErrorDeployment' of the deployment '%.*s' cannot be resolved: there is no other successful " \
        "deployment %.*s%sin the history of the resource group."
#define DEPLOYMENT_ON_ERROR_SECURE                                                                           \
    400, "InvalidDeployment", FROM_GATEWAY,                                                                  \
        "The deployment '%.*s' cannot be deployed again on error: the values of its secure parameters are "  \
        "not kept."
#define DEPLOYMENT_PARENT_OVER                                                                               \
    409, "DeploymentCanceled", FROM_GATEWAY, "The deployment that '%.*s' is nested in does not run any more."
#define DEPLOYMENT_NESTED_DEPTH                                                                              \
    400, "InvalidTemplate", FROM_GATEWAY,                                                                    \
        "Deployment template validation failed: 'The nested deployment '%.*s' is too deep: deployments "     \
        "are nested in one another at most %d times.'."
// Details are in details_json.
#define DEPLOYMENT_NOT_VALID                                                                                 \
    400, "InvalidTemplateDeployment", FROM_GATEWAY,                                                          \
        "The template deployment '%.*s' is not valid according to the validation procedure. The tracking "   \
        "id is '%s'. See inner errors for details."
#define DEPLOYMENT_NOT_AUTHORIZED                                                                            \
    400, "InvalidTemplateDeployment", FROM_GATEWAY, "The template deployment failed with error: '%s'."
#define DEPLOYMENT_NOT_AUTHORIZED_SEVERAL                                                                    \
    400, "InvalidTemplateDeployment", FROM_GATEWAY, "Deployment failed with multiple errors: '%s'."
