// systemData of a tracked resource: who made it, who changed it last, and when.
#include "arm/resource.h"

#include "base/clock.h"

struct arm_author arm_author_of(const struct arm_call *call)
{
    if (!call->caller)
        return (struct arm_author){TEXT_NONE, TEXT_NONE};
    return (struct arm_author){text_of(call->caller->name),
                               call->caller->user ? TEXT("User") : TEXT("Application")};
}

static void write_author(struct buffer *out, const char *by, const char *by_type,
                         const struct arm_author *author)
{
    if (!author->name.base)
        return;
    json_key_text(out, by, author->name);
    json_key_text(out, by_type, author->type);
}

void arm_write_system_data(struct buffer *out, const struct arm_resource *resource)
{
    json_key(out, "systemData");
    json_begin_object(out);
    write_author(out, "createdBy", "createdByType", &resource->created_by);
    json_key_text(out, "createdAt", clock_iso(out->arena, resource->created_at, "+00:00"));
    write_author(out, "lastModifiedBy", "lastModifiedByType", &resource->changed_by);
    json_key_text(out, "lastModifiedAt", clock_iso(out->arena, resource->changed_at, "+00:00"));
    json_end_object(out);
}
