// A command that is one transaction on the rows of a site, and prints what came of it.
#pragma once
#include "db/database.h"

struct arena;
struct config;

// The first member of what `run` gets.
struct change {
    struct arena *arena;
    const struct config *config; // known when `prepare` is called
    const char *why;             // why `run` refused, for people; NULL: the database failed
    struct text json;            // printed once it is committed
};

// `prepare`, unless NULL, is called once; `run` again where the database asks for it. The exit status, after
// printing.
int change_run(struct change *change, const char *state, void (*prepare)(struct change *),
               bool (*run)(struct db_transaction *tx, void *change));
// Sets `why`; false.
bool change_refuse(struct change *change, const char *format, ...) __attribute__((format(printf, 2, 3)));
