"""Every `az acr` management command, and what becomes of it in each az: it works, or it is refused in words that name what
is not there (acr-resource-provider 8). {r} is a registry, {g} its group, {context} a directory with a Dockerfile.

A row: command, outcome, outcomes that are other in some az. Crashes are az's own (az-cli 13): it falls over on its own
models before or without a request that would matter."""
OK = "works"
CRASH = "az crashes by itself"
MISSING = "this az does not know it"
PREMIUM = "only supported for managed registries in Premium SKU"  # az's own words: it looks at the SKU


def not_offered(type_name):
    return f"The resource type 'registries/{type_name}' could not be found in the namespace 'Microsoft.ContainerRegistry'"


def feature(name):
    return f"The requested feature {name} is not supported for the SKU Standard."


def hub(outcome):
    """In the profile of Azure Stack Hub."""
    return {"hybrid": outcome, "lts": outcome}


# What the hub's profile does not send: it has no such member. Nothing is asked for that could be refused.
DROPPED = hub(OK)
NEW = {**hub(MISSING), "latest": MISSING}
NEW_LTS_CRASHES = {"hybrid": MISSING, "lts": CRASH, "latest": MISSING}
ABAC = "repository permissions by role assignment conditions"
CREATE = "acr create -n {r}x -g {g} --sku Standard "
UPDATE = "acr update -n {r} "

ROWS = [
    ("acr check-name -n {r}", OK),
    ("acr show -n {r}", OK),
    ("acr list -g {g}", OK),
    ("acr show-usage -n {r}", OK),
    ("acr show-endpoints -n {r}", OK, hub(CRASH)),
    ("acr credential show -n {r}", OK),
    ("acr credential renew -n {r} --password-name password2", OK),
    ("acr login -n {r} --expose-token", OK),
    ("acr check-health -n {r} --yes --ignore-errors", OK),

    (UPDATE + "--tags a=b", OK),
    (UPDATE + "--set tags.x=y", OK),
    (UPDATE + "--admin-enabled true", OK),
    (UPDATE + "--sku Basic", OK),
    (UPDATE + "--sku Standard", OK),
    (UPDATE + "--sku Premium", "The requested SKU Premium in sku.name is not supported"),
    (UPDATE + "--default-action Deny", PREMIUM),
    (UPDATE + "--public-network-enabled true", OK, hub(CRASH)),
    (UPDATE + "--public-network-enabled false", PREMIUM, hub(CRASH)),
    (UPDATE + "--anonymous-pull-enabled false", OK),
    (UPDATE + "--anonymous-pull-enabled true", feature("anonymous pull"), DROPPED),
    (UPDATE + "--data-endpoint-enabled true", feature("dedicated data endpoints"), DROPPED),
    (UPDATE + "--allow-trusted-services true", OK, hub(CRASH)),
    (UPDATE + "--allow-trusted-services false", feature("network rule bypass options"), hub(CRASH)),
    (UPDATE + "--allow-exports true", OK, hub(CRASH)),
    (UPDATE + "--allow-exports false", feature("export policy"), hub(CRASH)),
    (UPDATE + "--allow-metadata-search false", OK, NEW_LTS_CRASHES),
    (UPDATE + "--allow-metadata-search true", feature("metadata search"), NEW_LTS_CRASHES),
    (UPDATE + "--role-assignment-mode rbac", OK, NEW),
    (UPDATE + "--role-assignment-mode rbac-abac", feature(ABAC), NEW),
    (UPDATE + "--regional-endpoints Disabled", OK, NEW),
    (UPDATE + "--regional-endpoints Enabled", PREMIUM, NEW),
    (UPDATE + "--endpoint-protocol IPv4AndIPv6", feature("dual-stack endpoints"), NEW),

    ("acr create -n {r}x -g {g} --sku Premium", "The requested SKU Premium in sku.name is not supported"),
    (CREATE + "--zone-redundancy enabled", feature("zone redundancy"), DROPPED),
    (CREATE + "--public-network-enabled false", feature("virtual network rule"), hub(CRASH)),
    (CREATE + "--allow-exports false", feature("export policy"), hub(CRASH)),
    (CREATE + "--allow-trusted-services false", feature("network rule bypass options"), hub(CRASH)),
    (CREATE + "--default-action Deny", PREMIUM),
    (CREATE + "--dnl-scope TenantReuse", feature("domain name label scope"), NEW),
    (CREATE + "--role-assignment-mode rbac-abac", feature(ABAC), NEW),
    (CREATE + "--workspace w", "Microsoft.Insights", {"current": CRASH}),  # after it has made the registry
    ("acr create -n {r}y -g {g} --sku Basic --tags a=b --location {region}", OK),
    ("acr delete -n {r}y -g {g} --yes", OK),
    ("acr delete -n {r}x -g {g} --yes", OK),

    ("acr config content-trust show -r {r}", PREMIUM),
    ("acr config content-trust update -r {r} --status disabled", PREMIUM),
    ("acr config retention show -r {r}", PREMIUM),
    ("acr config retention update -r {r} --status enabled --days 30 --type UntaggedManifests", PREMIUM),
    ("acr config soft-delete show -r {r}", OK, hub(CRASH)),
    ("acr config soft-delete update -r {r} --status disabled --yes", OK, hub(CRASH)),
    ("acr config soft-delete update -r {r} --status enabled --days 7 --yes", feature("soft delete policy"), hub(CRASH)),
    ("acr config authentication-as-arm show -r {r}", OK, {"hybrid": CRASH}),
    ("acr config authentication-as-arm update -r {r} --status enabled", OK, hub(CRASH)),
    ("acr config authentication-as-arm update -r {r} --status disabled",
     feature("Azure AD authentication as ARM policy"), hub(CRASH)),
    ("acr network-rule list -n {r}", PREMIUM),
    ("acr network-rule add -n {r} --ip-address 1.2.3.4", PREMIUM),
    ("acr network-rule remove -n {r} --ip-address 1.2.3.4", PREMIUM),
    ("acr replication list -r {r}", PREMIUM),
    ("acr replication create -r {r} -l westus", PREMIUM),
    ("acr replication show -r {r} -n westus", PREMIUM),
    ("acr replication update -r {r} -n westus --tags a=b", "The resource westus could not be found.", hub(CRASH)),
    ("acr replication delete -r {r} -n westus", PREMIUM),
    ("acr identity show -n {r}", OK, hub(CRASH)),
    ("acr identity assign -n {r} --identities [system]", feature("managed identity"), hub(CRASH)),
    ("acr identity remove -n {r} --identities [system]", "has no system or user assigned identities", hub(CRASH)),
    ("acr encryption show -n {r}", OK, hub(CRASH)),
    ("acr encryption rotate-key -n {r} --key-encryption-key https://v.vault.local/keys/k --identity [system]",
     "only applicable to registries with CMK enabled", hub(CRASH)),
    *[(f"acr private-endpoint-connection {verb}", not_offered("privateEndpointConnections"), hub(CRASH))
      for verb in ("list -r {r}", "show -r {r} -n c", "approve -r {r} -n c", "reject -r {r} -n c", "delete -r {r} -n c")],
    ("acr private-link-resource list -n {r}", not_offered("privateLinkResources"), hub(CRASH)),

    ("acr scope-map list -r {r}", not_offered("scopeMaps")),
    ("acr scope-map show -r {r} -n m", not_offered("scopeMaps")),
    ("acr scope-map create -r {r} -n m --repository hello content/read", not_offered("scopeMaps"), hub(CRASH)),
    ("acr scope-map update -r {r} -n m --add-repository hello content/write", not_offered("scopeMaps")),
    ("acr scope-map delete -r {r} -n m --yes", not_offered("scopeMaps")),
    ("acr token list -r {r}", not_offered("tokens")),
    ("acr token show -r {r} -n t", not_offered("tokens")),
    ("acr token create -r {r} -n t --repository hello content/read", not_offered("scopeMaps")),
    ("acr token update -r {r} -n t --status disabled", not_offered("tokens"), hub(CRASH)),
    ("acr token credential generate -r {r} -n t", not_offered("generateCredentials"), hub(CRASH)),
    ("acr token credential delete -r {r} -n t --password1", not_offered("tokens")),
    ("acr token delete -r {r} -n t --yes", not_offered("tokens")),

    ("acr task list -r {r}", not_offered("tasks")),
    ("acr task show -r {r} -n t", not_offered("tasks")),
    ("acr task create -r {r} -n t --cmd hello --context /dev/null", not_offered("tasks"), hub(CRASH)),
    ("acr task update -r {r} -n t --status Disabled", not_offered("tasks/listDetails")),
    ("acr task delete -r {r} -n t --yes", not_offered("tasks")),
    ("acr task run -r {r} -n t", not_offered("tasks/listDetails")),
    ("acr task list-runs -r {r}", not_offered("runs")),
    ("acr task show-run -r {r} --run-id 1", not_offered("runs")),
    ("acr task logs -r {r}", not_offered("runs")),
    ("acr task cancel-run -r {r} --run-id 1", not_offered("runs/cancel")),
    ("acr task update-run -r {r} --run-id 1 --no-archive true", not_offered("runs")),
    ("acr task identity show -r {r} -n t", not_offered("tasks/listDetails")),
    ("acr task credential list -r {r} -n t", not_offered("tasks/listDetails")),
    ("acr task timer list -r {r} -n t", not_offered("tasks/listDetails")),
    ("acr taskrun list -r {r}", not_offered("taskRuns")),
    ("acr taskrun show -r {r} -n t", not_offered("taskRuns")),
    ("acr taskrun delete -r {r} -n t --yes", not_offered("taskRuns")),
    ("acr build -r {r} {context}", not_offered("listBuildSourceUploadUrl")),
    ("acr build -r {r} https://git.local/x/y.git", not_offered("scheduleRun"), hub(CRASH)),
    ("acr run -r {r} --cmd hello /dev/null", not_offered("scheduleRun"), hub(CRASH)),
    ("acr pack build -r {r} --builder b -t x:1 {context}", not_offered("listBuildSourceUploadUrl")),
    ("acr agentpool list -r {r}", not_offered("agentPools")),
    ("acr agentpool show -r {r} -n p", not_offered("agentPools")),
    ("acr agentpool create -r {r} -n p", not_offered("agentPools"), hub(CRASH)),
    ("acr agentpool update -r {r} -n p -c 2", not_offered("agentPools"), hub(CRASH)),
    ("acr agentpool delete -r {r} -n p --yes", not_offered("agentPools")),

    ("acr cache list -r {r}", not_offered("cacheRules"), {"hybrid": MISSING, "latest": MISSING}),
    ("acr cache show -r {r} -n c", not_offered("cacheRules"), {"hybrid": MISSING, "latest": MISSING}),
    ("acr cache create -r {r} -n c -s other.local/library/ubuntu -t ubuntu", not_offered("cacheRules"), NEW_LTS_CRASHES),
    ("acr cache delete -r {r} -n c --yes", not_offered("cacheRules"), {"hybrid": MISSING, "latest": MISSING}),
    ("acr credential-set list -r {r}", not_offered("credentialSets"), {"hybrid": MISSING, "latest": MISSING}),
    ("acr credential-set show -r {r} -n c", not_offered("credentialSets"), {"hybrid": MISSING, "latest": MISSING}),
    ("acr credential-set delete -r {r} -n c --yes", not_offered("credentialSets"), {"hybrid": MISSING, "latest": MISSING}),
    ("acr connected-registry list -r {r}", not_offered("connectedRegistries")),
    ("acr connected-registry show -r {r} -n c", not_offered("connectedRegistries")),
    ("acr connected-registry update -r {r} -n c --log-level Error", not_offered("connectedRegistries")),
    ("acr connected-registry deactivate -r {r} -n c --yes", not_offered("connectedRegistries/deactivate")),
    ("acr connected-registry delete -r {r} -n c --yes", not_offered("connectedRegistries")),

    # Until webhooks and imports are there.
    ("acr webhook list -r {r}", not_offered("webhooks")),
    ("acr webhook show -r {r} -n hook1", not_offered("webhooks")),
    ("acr webhook create -r {r} -n hook1 --uri http://localhost --actions push", not_offered("webhooks")),
    ("acr webhook ping -r {r} -n hook1", not_offered("webhooks/ping")),
    ("acr webhook get-config -r {r} -n hook1", not_offered("webhooks/getCallbackConfig")),
    ("acr webhook list-events -r {r} -n hook1", not_offered("webhooks/listEvents")),
    ("acr webhook update -r {r} -n hook1 --status disabled", not_offered("webhooks")),
    ("acr webhook delete -r {r} -n hook1", not_offered("webhooks")),
    ("acr import -n {r} --source other.local/library/hello-world:latest", not_offered("importImage")),

    ("acr repository list -n {r}", OK),
    ("acr repository show -n {r} --repository hello", OK),
    ("acr repository show-tags -n {r} --repository hello", OK),
    ("acr repository show-manifests -n {r} --repository hello", OK),
    ("acr repository update -n {r} --image hello:1 --write-enabled true", OK),
    ("acr repository list-deleted -n {r}", "soft delete is not supported by this registry"),
    ("acr manifest list -r {r} -n hello", OK),
    ("acr manifest show -r {r} -n hello:1", OK),
    ("acr manifest list-metadata -r {r} -n hello", OK),
    ("acr manifest show-metadata -r {r} -n hello:1", OK),
    ("acr manifest update-metadata -r {r} -n hello:1 --write-enabled true", OK),
    ("acr manifest list-referrers -r {r} -n hello:1", OK),
    ("acr manifest list-deleted -r {r} -n hello", "soft delete is not supported by this registry"),
    ("acr manifest list-deleted-tags -r {r} -n hello", "soft delete is not supported by this registry"),
    ("acr manifest restore -r {r} -n hello:1 -d sha256:" + "a" * 64 + " --yes",
     "soft delete is not supported by this registry"),
    ("acr artifact-streaming show -n {r} --repository hello", "artifact streaming is not supported by this registry",
     {"hybrid": MISSING, "latest": MISSING}),
    ("acr artifact-streaming create -n {r} --image hello:1", "artifact streaming is not supported by this registry",
     {"hybrid": MISSING, "latest": MISSING}),
    ("acr helm list -n {r}", "a Helm repository (charts are pushed as OCI artifacts) is not supported"),
    ("acr repository untag -n {r} --image hello:1", OK),
    ("acr repository delete -n {r} --repository hello --yes", OK),
    ("acr delete -n {r} --yes", OK),
    ("acr show -n {r} -g {g}", "was not found"),
]


def outcome(row, generation):
    return row[2].get(generation, row[1]) if len(row) > 2 else row[1]
