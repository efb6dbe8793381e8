// The hosts that rbac/ answers: adfs. (sign-in) and graph. (directory, read-only).
#pragma once
#include "http/message.h"

void signin_dispatch(struct http_exchange *exchange); // adfs.<region>.<domain>
void graph_dispatch(struct http_exchange *exchange);  // graph.<region>.<domain>
// Registers their routes. Once, at start.
void rbac_services_start(void);
// Answers in the host's own form what the fence or the edge refuses: {"error":…,"error_description":…} and
// {"error":{"code","message"}}.
void signin_refuse(struct http_exchange *exchange, int status, const char *why);
void graph_refuse(struct http_exchange *exchange, int status, const char *why);
