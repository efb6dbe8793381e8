// The schema: numbered migrations of db/migrations, embedded, applied once, in order, under a lock.
#pragma once
#include "db/database.h"

struct db_migration {
    int number;
    const char *name;
    const char *sql;
};
// Ended by a row whose name is NULL; made by the build.
extern const struct db_migration db_migrations[];

// Applies what is missing, each in its own transaction, under one advisory lock; an unknown newer migration
// in the database, or one whose text differs from what was applied, is refused. False with *why in the arena.
bool db_migrate(const char *conninfo, struct arena *arena, const char **why);
// The same with another list: for tests.
bool db_migrate_with(const char *conninfo, const struct db_migration *migrations, struct arena *arena,
                     const char **why);
