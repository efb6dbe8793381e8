// Uploads whose ids were committed in blocks before anybody asked for them (acr.upload_reserved). POST grants
// one to a caller it just decided about; that caller's first bytes, if they follow within the moment, need
// neither a decision nor a row of their own. A session that outlives the moment gets its row from
// upload_reserve_write; a publish takes the reservation itself. All of it is in this process's memory: what
// is lost of it costs the longer way, and no bytes.
#pragma once
#include "base/text.h"
#include "db/database.h"

#include <stdbool.h>
#include <stdint.h>

// The id of a session that its caller may write to; `authorization` as the request has it. False: none is
// left.
bool upload_reserve_grant(struct text authorization, char id[37]);
// When (monotonic) that session was granted to this caller: told once. 0: it was not, or too long ago.
int64_t upload_reserve_claim(const char *id, struct text authorization);
// The claimed session's request ended, and its file is there: unless it is published within a second or so,
// it gets a row.
void upload_reserve_keep(const char *id, int64_t registry_id, struct text repository);
// Whether it is kept, and has no row yet.
bool upload_reserve_has(const char *id);
// It was published, or goes the longer way.
void upload_reserve_forget(const char *id);

// Whether ids are wanted: as many as were claimed lately, never more for who begins sessions and sends
// nothing. True: upload_reserve_run is to be run in a transaction, then upload_reserve_end.
bool upload_reserve_begin(void);
bool upload_reserve_run(struct db_transaction *tx);
void upload_reserve_end(bool committed);

// Rows for the sessions that were kept a second ago.
void upload_reserve_write(struct db_connection *connection);
