// The tests' private cluster.
#include "fixture.h"

#include <stdarg.h>
#include <stdio.h>

static struct config config;

const struct config *fixture_config(void)
{
    return &config;
}

const char *fixture_conninfo(void)
{
    return config.database;
}

struct db_target fixture_target(void)
{
    return (struct db_target){config.database, "azsacr test", 5000};
}

void fixture_start_server(void)
{
    private_cluster_start(&config);
}

void fixture_stop_server(void)
{
    private_cluster_stop(&config);
}

void fixture_start(void)
{
    private_cluster_make(&config, "db");
}

void fixture_stop(void)
{
    private_cluster_remove(&config);
}

void fixture_sql(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    private_cluster_sql(config.database, format, arguments);
    va_end(arguments);
}

void fixture_admin_sql(const char *format, ...)
{
    char conninfo[512];
    snprintf(conninfo, sizeof conninfo, "host=%s/pg port=5432 user=postgres dbname=azsacr", config.runtime);
    va_list arguments;
    va_start(arguments, format);
    private_cluster_sql(conninfo, format, arguments);
    va_end(arguments);
}

long fixture_number(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    long number = private_cluster_sql(config.database, format, arguments);
    va_end(arguments);
    return number;
}
