// What a move of resources is refused with (arm-core 2.6), for arm_fail.
#pragma once
#include "arm/errors.h"

#define ARM_MOVE_MEMBER_REQUIRED                                                                             \
    400, "InvalidRequestContent", FROM_GATEWAY,                                                              \
        "The request content was invalid and could not be deserialized: 'Required property '%s' not found "  \
        "in JSON. Path '''."
#define ARM_MOVE_TOO_MANY                                                                                    \
    400, "ResourceMoveLimitExceeded", FROM_GATEWAY,                                                          \
        "The request to move resources names '%zu' resources; the largest number that one request may move " \
        "is '800'."
#define ARM_MOVE_INVALID_ID                                                                                  \
    400, "LinkedInvalidPropertyId", FROM_GATEWAY,                                                            \
        "Property id '%.*s' at path '%s' is invalid. Expect fully qualified resource Id that start with "    \
        "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'."
#define ARM_MOVE_SAME_GROUP                                                                                  \
    400, "ResourceMoveToSameResourceGroup", FROM_GATEWAY,                                                    \
        "The source and the target of the move are the same resource group '%.*s'."
#define ARM_MOVE_OUTSIDE                                                                                     \
    400, "ResourceNotInSourceResourceGroup", FROM_GATEWAY,                                                   \
        "The resource '%.*s' is not in the source resource group '%.*s' of the move."
#define ARM_MOVE_TWICE                                                                                       \
    400, "DuplicateResourceInMove", FROM_GATEWAY, "The resource '%.*s' is named twice in the move request."
#define ARM_MOVE_CHILD                                                                                       \
    400, "ResourceMoveNotSupported", FROM_GATEWAY,                                                           \
        "The resource '%.*s' cannot be moved by itself: only top-level resources are moved, and their "      \
        "children go with them."
#define ARM_MOVE_TYPE                                                                                        \
    400, "ResourceMoveNotSupported", FROM_GATEWAY,                                                           \
        "Resource move is not supported for resource types '%.*s/%.*s'."
#define ARM_MOVE_TARGET_MISSING                                                                              \
    400, "ResourceGroupNotFound", FROM_GATEWAY, "Resource group '%.*s' could not be found."
#define ARM_LINKED_AUTHORIZATION_FAILED                                                                      \
    403, "LinkedAuthorizationFailed", FROM_GATEWAY,                                                          \
        "The client '%s' with object id '%s' has permission to perform action '%s' on scope '%.*s'; "        \
        "however, it does not have permission to perform action '%s' on the linked scope(s) '%.*s' or the "  \
        "linked scope(s) are invalid."
#define ARM_MOVE_IN_PROGRESS                                                                                 \
    409, "ResourceMoveInProgress", FROM_GATEWAY,                                                             \
        "The resource group '%.*s' is locked by a move of resources that is in progress. Please try again "  \
        "when it is finished."
#define ARM_MOVE_VALIDATION_FAILED                                                                           \
    409, "ResourceMoveProviderValidationFailed", FROM_GATEWAY,                                               \
        "Resource move validation failed. Please see details."
