// Requests to the sign-in service and the directory's host, from their bytes to the answer, over a real
// database in which one user and one service principal live.
#pragma once
#include "fixture.h"

#include "base/arena.h"
#include "base/site.h"
#include "http/message.h"
#include "rbac/audience.h"
#include "rbac/token.h"

#include <jansson.h>

#define CLIENT "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
#define AUDIENCE "https://management.adfs.local.azurestack.external/5c2f9d6e-1111-4222-8333-444455556666"
#define SCOPE "&scope=" AUDIENCE "/.default+offline_access+openid+profile"

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

extern struct arena *memory; // of the running test
extern char user_id[37], app_object_id[37], app_id[37], app_secret[64];

// Checked fixtures of a Check test case.
void signin_setup(void);
void signin_teardown(void);

// "password" (of a user or app), "rotate", "enable", "disable", "remove", as the operator's commands do.
void change(const char *kind, const char *name, const char *password);
// Changes rows behind the program's back.
void sql(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct answer {
    int status;
    struct text body;
    json_t *json;
    struct http_exchange *exchange;
};

// The request line without its version, header lines with their ends, and the body.
struct answer ask(bool graph, const char *line, const char *headers, const char *body);
struct answer post(const char *path, const char *form);
struct answer token(const char *form);
const char *member(struct answer answer, const char *name); // "" when absent
void expect_error(struct answer answer, int status, const char *error, const char *code);

struct rbac_verdict verify(const char *bearer, const char *const *audiences);
struct rbac_verdict check_password(const char *name, const char *password);
struct answer sign_in(void);                 // of the user, by password
const char *client_form(const char *secret); // of the service principal
const json_t *claims_of(const char *jwt);
