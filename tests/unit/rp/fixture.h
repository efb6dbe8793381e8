// A site, a registry and access data in memory, for tests of what decides.
#pragma once
#include "arm/call.h"
#include "rbac/snapshot_data.h"
#include "rp/data/call.h"

#define FIXTURE_PULLER "11111111-1111-1111-1111-111111111111" // AcrPull at the registry
#define FIXTURE_PUSHER "22222222-2222-2222-2222-222222222222" // AcrPush at the registry
#define FIXTURE_STRANGER "33333333-3333-3333-3333-333333333333"
#define FIXTURE_DELETER "44444444-4444-4444-4444-444444444444" // AcrDelete at the registry
#define FIXTURE_OWNER "55555555-5555-5555-5555-555555555555"   // everything at the subscription
#define FIXTURE_SUBSCRIPTION "00000000-0000-0000-0000-00000000000a"
#define FIXTURE_SERVER "myreg.azsacr.local.azurestack.external"
#define FIXTURE_PASSWORD "first-password-of-the-admin-user"
#define FIXTURE_PASSWORD2 "second-password-of-the-adminuser"

struct fixture {
    struct arena *arena;
    struct http_request request;
    struct http_answer answer;
    struct rbac_snapshot snapshot;
    struct registry_call call; // data plane, of registry "MyReg", nobody signed in
};
// Fresh each time; free with fixture_free.
struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);
void fixture_sign_in(struct fixture *fixture, const char *object_id);
void fixture_header(struct fixture *fixture, const char *name, const char *value);
// An ARM call with that body, at that api-version.
void fixture_arm_call(struct fixture *fixture, struct arm_call *call, const char *api_version,
                      const char *body);
