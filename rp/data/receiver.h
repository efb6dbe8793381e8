// The receiver: libmicrohttpd, a thread for each connection, behind the edge's upload location. Serves
// PATCH, PUT, GET and DELETE of /v2/<name>/blobs/uploads/<id>, and POST with ?digest= and a body.
#pragma once
#include "db/database.h"

struct receiver;
// `socket` is bound under a temporary name and renamed.
struct receiver *receiver_start(const char *socket, int socket_group, const struct db_target *target);
void receiver_stop(struct receiver *receiver, unsigned limit_ms);
