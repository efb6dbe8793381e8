// The door: host, route, who, version, rights, existence, registration, then the handler (decisions 12).
#pragma once
#include "db/job.h"
#include "http/message.h"

void arm_start(void); // registers ARM's own types and routes; after every arm_register_type
void arm_dispatch(struct http_exchange *exchange); // management., adminmanagement.
void arm_refuse(struct http_exchange *exchange, int status, const char *why);
void portal_dispatch(struct http_exchange *exchange); // portal.: a plain page
extern const struct job_kind arm_job_kinds[];         // group deletion; ended by a row whose name is NULL
