#include "fixture.h"
Suite *suite_pipeline(void)
{
    return suite_create("pipeline");
}
