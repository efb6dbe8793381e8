// The errors of Microsoft.Authorization (arm-core 3.7, 3.8), for arm_fail.
#pragma once
#include "arm/errors.h"

#define ARM_SCOPE_INVALID 400, "InvalidScope", FROM_GATEWAY, "The scope '%.*s' is not valid."

// ---- assignments ----
#define ARM_ROLE_ASSIGNMENT_EXISTS                                                                           \
    409, "RoleAssignmentExists", FROM_GATEWAY, "The role assignment already exists."
#define ARM_ROLE_ASSIGNMENT_NOT_FOUND                                                                        \
    404, "RoleAssignmentNotFound", FROM_GATEWAY, "The role assignment '%.*s' is not found."
#define ARM_ROLE_ASSIGNMENT_UPDATE_NOT_PERMITTED                                                             \
    400, "RoleAssignmentUpdateNotPermitted", FROM_GATEWAY,                                                   \
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
#define ARM_INVALID_ROLE_ASSIGNMENT_ID                                                                       \
    400, "InvalidRoleAssignmentId", FROM_GATEWAY,                                                            \
        "The role assignment ID '%.*s' is not valid. The role assignment ID must be a GUID."
#define ARM_ROLE_ASSIGNMENT_MEMBER_MISSING                                                                   \
    400, "InvalidCreateRoleAssignmentRequest", FROM_GATEWAY,                                                 \
        "The request to create role assignment '%.*s' is not valid. Role assignment property '%s' is "       \
        "missing."
#define ARM_INVALID_PRINCIPAL_ID                                                                             \
    400, "InvalidPrincipalId", FROM_GATEWAY,                                                                 \
        "The principal ID '%.*s' is not valid. Principal ID must be a GUID."
#define ARM_INVALID_PRINCIPAL_TYPE                                                                           \
    400, "InvalidPrincipalType", FROM_GATEWAY,                                                               \
        "The principal type '%.*s' is not valid. The supported types are 'User', 'Group', "                  \
        "'ServicePrincipal', 'ForeignGroup' and 'Device'."
#define ARM_PRINCIPAL_NOT_FOUND                                                                              \
    400, "PrincipalNotFound", FROM_GATEWAY,                                                                  \
        "Principal %.*s does not exist in the directory %s. Check that you have the correct principal ID. "  \
        "If "                                                                                                \
        "you are creating this principal and then immediately assigning a role, this error might be "        \
        "related "                                                                                           \
        "to a replication delay. In this case, set the role assignment principalType property to a value, "  \
        "such as ServicePrincipal, User, or Group."
#define ARM_UNMATCHED_PRINCIPAL_TYPE                                                                         \
    400, "UnmatchedPrincipalType", FROM_GATEWAY,                                                             \
        "The PrincipalId '%.*s' has type '%.*s', which is different from specified PrincipalType '%.*s'."
#define ARM_INVALID_ROLE_DEFINITION_ID                                                                       \
    400, "InvalidRoleDefinitionId", FROM_GATEWAY, "The role definition ID '%.*s' is not valid."
#define ARM_ASSIGNMENT_MEMBER_NOT_SUPPORTED                                                                  \
    400, "RoleAssignmentPropertyNotSupported", FROM_GATEWAY,                                                 \
        "The role assignment property '%s' is not supported."
#define ARM_DESCRIPTION_TOO_LONG                                                                             \
    400, "DescriptionTooLong", FROM_GATEWAY, "The description exceeds the maximum length of 1024 characters."
#define ARM_LAST_OWNER                                                                                       \
    400, "CannotDeleteLastRbacAdminAssignment", FROM_GATEWAY, "Cannot delete the last RBAC admin assignment"

// ---- locks ----
#define ARM_LOCK_NOT_FOUND 404, "LockNotFound", FROM_GATEWAY, "The lock '%.*s' could not be found."
#define ARM_LOCK_NAME_INVALID                                                                                \
    400, "InvalidLockName", FROM_GATEWAY,                                                                    \
        "The lock name '%.*s' is invalid. It can have at most 260 characters and none of '<>%%&:\\?/' or "   \
        "control characters."
#define ARM_LOCK_LEVEL_NOT_SPECIFIED                                                                         \
    400, "LockLevelNotSpecified", FROM_GATEWAY,                                                              \
        "The lock level is not specified. It has to be 'CanNotDelete' or 'ReadOnly'."
#define ARM_LOCK_NOTES_TOO_LONG                                                                              \
    400, "LockNotesTooLong", FROM_GATEWAY, "The notes of a lock have at most 512 characters."

// ---- definitions ----
// 404 of a GET, 400 of a PUT that refers to it; a PUT prints the id without hyphens.
#define ARM_ROLE_DEFINITION_DOES_NOT_EXIST(status)                                                           \
    (status), "RoleDefinitionDoesNotExist", FROM_GATEWAY,                                                    \
        "The specified role definition with ID '%.*s' does not exist."
#define ARM_ROLE_DEFINITION_SAME_NAME                                                                        \
    409, "RoleDefinitionWithSameNameExists", FROM_GATEWAY,                                                   \
        "A custom role with the same name already exists in this directory. Use a different name."
#define ARM_ROLE_DEFINITION_EXISTS                                                                           \
    409, "RoleDefinitionExists", FROM_GATEWAY,                                                               \
        "The role definition '%.*s' is built in and cannot be changed or deleted."
#define ARM_INVALID_ROLE_DEFINITION_TYPE                                                                     \
    400, "InvalidRoleDefinitionType", FROM_GATEWAY,                                                          \
        "The role definition type '%.*s' is not valid. Only 'CustomRole' can be created or changed."
#define ARM_ROLE_DEFINITION_NAME_MISSING                                                                     \
    400, "RoleDefinitionNameNullOrEmpty", FROM_GATEWAY, "Role definition name cannot be null or empty."
#define ARM_ROLE_DEFINITION_NAME_TOO_LONG                                                                    \
    400, "RoleDefinitionNameTooLong", FROM_GATEWAY,                                                          \
        "The role definition name exceeds the maximum length of 128 characters."
#define ARM_MISSING_ASSIGNABLE_SCOPES                                                                        \
    400, "MissingAssignableScopes", FROM_GATEWAY,                                                            \
        "The role definition must have at least one assignable scope."
#define ARM_LINKED_INVALID_PROPERTY_ID                                                                       \
    400, "LinkedInvalidPropertyId", FROM_GATEWAY,                                                            \
        "Property id '%.*s' at path '%s' is invalid. Expect fully qualified resource Id that start with "    \
        "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'."
#define ARM_LINKED_AUTHORIZATION_FAILED                                                                      \
    403, "LinkedAuthorizationFailed", FROM_GATEWAY,                                                          \
        "The client '%s' with object id '%s' has permission to perform action '%s' on scope '%.*s'; "        \
        "however, "                                                                                          \
        "it does not have permission to perform action '%s' on the linked scope(s) '%.*s' or the linked "    \
        "scope(s) are invalid."
#define ARM_INVALID_ACTION                                                                                   \
    400, "InvalidActionOrNotAction", FROM_GATEWAY,                                                           \
        "'%.*s' does not match any of the actions supported by the providers."
#define ARM_ROLE_DEFINITION_HAS_ASSIGNMENTS                                                                  \
    400, "RoleDefinitionHasAssignments", FROM_GATEWAY, "There are existing role assignments referencing role"
#define ARM_ROLE_DEFINITION_LIMIT                                                                            \
    400, "RoleDefinitionLimitExceeded", FROM_GATEWAY,                                                        \
        "Role definition limit exceeded. No more role definitions can be created."
