#include "fixture.h"
Suite *suite_job(void)
{
    return suite_create("job");
}
