// The one region, and the "location" member of bodies.
#include "arm/errors.h"
#include "arm/resource.h"

// ARM compares locations without regard to case and blanks: "West US" is "westus".
bool arm_location_is_ours(struct text location)
{
    const char *ours = site()->config->region;
    size_t at = 0;
    for (size_t i = 0; i < location.length; i++) {
        char c = location.base[i];
        if (c == ' ')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        while (ours[at] == ' ')
            at++;
        char o = ours[at] >= 'A' && ours[at] <= 'Z' ? (char)(ours[at] - 'A' + 'a') : ours[at];
        if (!o || o != c)
            return false;
        at++;
    }
    return location.length > 0 && ours[at] == '\0';
}

const char *arm_location_of_body(struct arm_call *call, const char *type, struct text name,
                                 struct text existing)
{
    const char *region = site()->config->region;
    struct text location;
    if (!arm_body_text(call, call->body, "location", "location", &location))
        return NULL;
    if (location.length == 0) {
        arm_fail(call, ARM_LOCATION_REQUIRED);
        return NULL;
    }
    if (arm_location_is_ours(location))
        return region;
    if (existing.base)
        arm_fail(call, ARM_INVALID_RESOURCE_LOCATION, TEXT_ARG(name), TEXT_ARG(existing),
                 TEXT_ARG(call->group_stored), TEXT_ARG(location));
    else
        arm_fail(call, ARM_LOCATION_NOT_AVAILABLE, TEXT_ARG(location), type, region);
    return NULL;
}
