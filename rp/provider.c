// Registers what Microsoft.ContainerRegistry is made of: types with the control plane, routes with the data
// plane, jobs.
#include "rp/provider.h"

#include "rp/data/call.h"
#include "rp/data/content.h"
#include "rp/types.h"

const struct job_kind provider_job_kinds[] = {
    {"acr.repository.remove", content_remove_repository},
    {"acr.registry.remove", content_remove_registry},
    {NULL, NULL},
};

void provider_start(void)
{
    static struct arm_type types[3];
    types[0] = registries_type();
    types[1] = replications_type();
    types[2] = name_check_type();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        arm_register_type(&types[i]);
    registry_data_start();
}
