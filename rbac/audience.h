// What our tokens are for (decisions 24) and who they say made them (decisions 26).
#pragma once
#include "base/text.h"

// The issuer that access tokens carry: "https://adfs.<region>.<domain>/adfs".
const char *rbac_access_issuer(void);
// The issuer of the documents under /adfs/<tenant>/…: "https://adfs.<region>.<domain>/<tenant id>/".
const char *rbac_tenant_issuer(void);
// Whether we issue tokens for that resource, with or without a trailing slash.
bool rbac_audience_known(struct text resource);
