// The catalogue of ARM's errors: status, code, whose it is, and the sentence, which clients parse.
// arm_fail(call, ARM_RESOURCE_GROUP_NOT_FOUND, TEXT_ARG(name))
#pragma once
#include "arm/call.h"

enum arm_origin {
    FROM_GATEWAY,  // {"error":{…}}, x-ms-failure-cause: gateway
    FROM_PROVIDER, // {"error":{…},"status":"Failed"}
};

// Rolls the handler's work back. The first failure of a call stands.
void arm_fail(struct arm_call *call, int status, const char *code, enum arm_origin origin, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
// "target" of the failure just made, and one row of its details.
void arm_fail_target(struct arm_call *call, const char *target);
void arm_fail_detail(struct arm_call *call, const char *code, const char *target, const char *message);
