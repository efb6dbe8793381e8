-- The first schema. Names are stored as given and looked up by a lower-cased key; times are timestamptz and travel
-- as microseconds; json (not jsonb) where the order of members is kept.

create schema azsacr;
create schema rbac;
create schema arm;
create schema acr;

-- tenant_id, operator_object_id, master_key_check, …
create table azsacr.setting (
    name  text primary key,
    value text not null
);

create table azsacr.job (
    id              uuid primary key default gen_random_uuid(),
    kind            text not null,
    subscription_id uuid,
    state           text not null default 'Pending' check (state in ('Pending', 'Running', 'Succeeded', 'Failed')),
    run_at          timestamptz not null default clock_timestamp(),
    lease_until     timestamptz,
    owner           text,
    epoch           bigint not null default 0,
    attempts        integer not null default 0,
    payload         json not null,
    result          json,
    created_at      timestamptz not null default clock_timestamp(),
    finished_at     timestamptz
);
create index job_due on azsacr.job (run_at) where state in ('Pending', 'Running');
create index job_finished on azsacr.job (finished_at) where finished_at is not null;
create table azsacr.job_wake (
    job_id uuid not null,
    at     timestamptz not null default clock_timestamp()
);

-- Who may do what. Every change of a row below this line and above arm.resource_group raises rbac.version.
create table rbac.version (
    "only" boolean primary key default true check ("only"),
    number bigint not null,
    stamp  text not null,
    prev   text not null
);
insert into rbac.version (number, stamp, prev) values (1, gen_random_uuid()::text, '');
-- What each version changed, so that a snapshot can follow: stamp is that of the version which the change made.
create table rbac.delta (
    number bigint not null,
    stamp  text not null,
    prev   text not null,
    kind   text not null,
    key    text not null,
    at     timestamptz not null default clock_timestamp()
);
create index delta_number on rbac.delta (number);

create table rbac.principal (
    object_id    uuid primary key default gen_random_uuid(),
    tenant_id    uuid not null,
    kind         text not null check (kind in ('User', 'ServicePrincipal')),
    display_name text not null,
    upn          text, -- users
    app_id       uuid, -- service principals
    enabled      boolean not null default true,
    stamp        bigint not null default 1, -- raised by disable, password change, secret removal
    created_at   timestamptz not null default clock_timestamp(),
    check ((kind = 'User') = (upn is not null)),
    check ((kind = 'ServicePrincipal') = (app_id is not null))
);
create unique index principal_upn on rbac.principal (lower(upn)) where upn is not null;
create unique index principal_app on rbac.principal (app_id) where app_id is not null;

create table rbac.secret (
    id         uuid primary key default gen_random_uuid(),
    object_id  uuid not null references rbac.principal,
    kind       text not null check (kind in ('random', 'chosen')), -- keyed SHA-256, scrypt
    salt       bytea,
    hash       bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz
);
create index secret_principal on rbac.secret (object_id);

create table rbac.signing_key (
    kid        text primary key,
    use        text not null check (use in ('sign-in', 'registry')), -- RS256, HS256
    sealed     bytea not null, -- PKCS#8 DER or 32 random bytes, under the master key
    created_at timestamptz not null default clock_timestamp(),
    retired_at timestamptz -- signs no more, verifies until dropped
);

create table rbac.device_code (
    device_hash bytea primary key,
    user_code   text not null unique,
    client_id   text not null,
    scope       text not null,
    object_id   uuid references rbac.principal,
    state       text not null default 'pending' check (state in ('pending', 'approved', 'denied')),
    expires_at  timestamptz not null
);

create table rbac.role_definition (
    id                uuid primary key,
    role_name         text not null,
    type              text not null check (type in ('BuiltInRole', 'CustomRole')),
    description       text not null default '',
    permissions       json not null,
    assignable_scopes json not null,
    created_at        timestamptz not null default clock_timestamp(),
    updated_at        timestamptz not null default clock_timestamp(),
    created_by        text,
    updated_by        text
);

create table rbac.role_assignment (
    id                 uuid not null,
    scope              text not null, -- as the creator wrote it
    scope_key          text not null collate "C", -- lower-cased; "/" is the root
    principal_id       uuid not null,
    principal_type     text not null,
    role_definition_id uuid not null references rbac.role_definition,
    description        text,
    condition          text,
    condition_version  text,
    created_at         timestamptz not null default clock_timestamp(),
    updated_at         timestamptz not null default clock_timestamp(),
    created_by         text,
    updated_by         text,
    primary key (scope_key, id)
);
create unique index role_assignment_content on rbac.role_assignment (scope_key, principal_id, role_definition_id);
create index role_assignment_principal on rbac.role_assignment (principal_id);
-- A name is used once, wherever it stands: PUT of it at another scope is an update that is refused.
create unique index role_assignment_id on rbac.role_assignment (id);

create table arm.subscription (
    subscription_id uuid primary key default gen_random_uuid(),
    tenant_id       uuid not null,
    display_name    text not null,
    state           text not null default 'Enabled' check (state in ('Enabled', 'Disabled')),
    operator        boolean not null default false, -- the operator's own (decisions 53)
    created_at      timestamptz not null default clock_timestamp()
);

create table arm.provider_registration (
    subscription_id uuid not null references arm.subscription,
    namespace_key   text not null,
    state           text not null check (state in ('Registered', 'Unregistered')),
    primary key (subscription_id, namespace_key)
);

create table arm.resource_group (
    id              bigint generated always as identity primary key,
    subscription_id uuid not null references arm.subscription,
    name            text not null,
    name_key        text not null collate "C",
    location        text not null,
    tags            json,
    managed_by      text,
    state           text not null default 'Succeeded' check (state in ('Succeeded', 'Deleting')),
    created_at      timestamptz not null default clock_timestamp(),
    changed_at      timestamptz not null default clock_timestamp(),
    unique (subscription_id, name_key)
);

-- The envelope of every tracked resource; what is a type's own is in the type's table.
create table arm.resource (
    id              bigint generated always as identity primary key,
    group_id        bigint not null references arm.resource_group,
    subscription_id uuid not null,
    type            text not null, -- "Microsoft.ContainerRegistry/registries"
    type_key        text not null collate "C",
    name            text not null,
    name_key        text not null collate "C",
    location        text not null,
    tags            json,
    sku             text,
    state           text not null default 'Succeeded',
    created_at      timestamptz not null default clock_timestamp(),
    changed_at      timestamptz not null default clock_timestamp(),
    unique (group_id, type_key, name_key)
);
create index resource_subscription on arm.resource (subscription_id, type_key, name_key);

create table acr.registry (
    id                   bigint primary key references arm.resource,
    rid                  text not null unique, -- 32 hex digits, never used twice: a token names it
    login_key            text not null collate "C" unique, -- lower(name): the host's first label
    admin_enabled        boolean not null default false,
    password             bytea not null, -- sealed
    password2            bytea not null,
    password_stamp       bigint not null default 1, -- raised when regenerated or the admin user is switched
    password2_stamp      bigint not null default 1,
    quarantine_status    text not null default 'disabled',
    trust_status         text not null default 'disabled',
    retention_days       integer not null default 7,
    retention_status     text not null default 'disabled',
    retention_updated_at timestamptz not null default clock_timestamp(),
    quota_bytes          bigint, -- null: the configured default
    created_at           timestamptz not null default clock_timestamp()
);

-- Content is keyed by the registry's id and outlives its row until a job has removed it.
-- live_bytes: the distinct blobs that live manifests refer to, and those manifests' own bytes. This row is the
-- mutex of reference changes.
create table acr.registry_usage (
    registry_id bigint primary key,
    live_bytes  bigint not null default 0 check (live_bytes >= 0)
);

create table acr.repository (
    id             bigint generated always as identity primary key,
    registry_id    bigint not null,
    name           text not null collate "C",
    manifest_count bigint not null default 0,
    tag_count      bigint not null default 0,
    created_at     timestamptz not null default clock_timestamp(),
    updated_at     timestamptz not null default clock_timestamp(),
    delete_enabled boolean not null default true,
    write_enabled  boolean not null default true,
    read_enabled   boolean not null default true,
    list_enabled   boolean not null default true,
    deleted_at     timestamptz
);
create unique index repository_live on acr.repository (registry_id, name) where deleted_at is null;
create index repository_catalog on acr.repository (registry_id, name) where deleted_at is null and manifest_count > 0;
create index repository_registry on acr.repository (registry_id);

create table acr.blob (
    registry_id bigint not null,
    digest      text not null collate "C",
    size        bigint not null,
    file        uuid not null unique, -- the id of the upload that made it
    touched     timestamptz not null default clock_timestamp(),
    primary key (registry_id, digest)
);
create index blob_touched on acr.blob (touched);

create table acr.blob_link (
    repository_id bigint not null references acr.repository,
    registry_id   bigint not null,
    digest        text not null collate "C",
    primary key (repository_id, digest),
    foreign key (registry_id, digest) references acr.blob
);
create index blob_link_blob on acr.blob_link (registry_id, digest);

create table acr.manifest (
    id                bigint generated always as identity primary key,
    registry_id       bigint not null,
    repository_id     bigint not null references acr.repository,
    digest            text not null collate "C",
    media_type        text not null,
    config_media_type text,
    artifact_type     text,
    subject           text collate "C",
    architecture      text,
    os                text,
    annotations       json,
    image_size        bigint not null default 0,
    content           bytea not null,
    created_at        timestamptz not null default clock_timestamp(),
    updated_at        timestamptz not null default clock_timestamp(),
    delete_enabled    boolean not null default true,
    write_enabled     boolean not null default true,
    read_enabled      boolean not null default true,
    list_enabled      boolean not null default true,
    unique (repository_id, digest)
);
create index manifest_subject on acr.manifest (repository_id, subject, digest) where subject is not null;
alter table acr.manifest alter column content set storage external;

-- The blobs a manifest refers to; the foreign keys are the net under the sweep.
create table acr.manifest_ref (
    manifest_id   bigint not null references acr.manifest,
    repository_id bigint not null,
    registry_id   bigint not null,
    digest        text not null collate "C",
    primary key (manifest_id, digest),
    foreign key (repository_id, digest) references acr.blob_link
);
create index manifest_ref_link on acr.manifest_ref (repository_id, digest);
create index manifest_ref_blob on acr.manifest_ref (registry_id, digest);

-- The manifests an index lists.
create table acr.manifest_child (
    manifest_id   bigint not null references acr.manifest,
    repository_id bigint not null,
    digest        text not null collate "C",
    architecture  text,
    os            text,
    primary key (manifest_id, digest)
);
create index manifest_child_digest on acr.manifest_child (repository_id, digest);

create table acr.tag (
    repository_id  bigint not null references acr.repository,
    name           text not null collate "C",
    manifest_id    bigint not null references acr.manifest,
    created_at     timestamptz not null default clock_timestamp(),
    updated_at     timestamptz not null default clock_timestamp(),
    delete_enabled boolean not null default true,
    write_enabled  boolean not null default true,
    read_enabled   boolean not null default true,
    list_enabled   boolean not null default true,
    primary key (repository_id, name)
);
create index tag_manifest on acr.tag (manifest_id);

-- A session that has bytes. put_from: its size before a PUT's body began, to go back to when that PUT is cut.
create table acr.upload (
    id          uuid primary key, -- also the file's name
    registry_id bigint not null,
    repository  text not null,
    put_from    bigint,
    created_at  timestamptz not null default clock_timestamp(),
    touched     timestamptz not null default clock_timestamp()
);
create index upload_touched on acr.upload (touched);

-- Files that no row above names, on their way out.
create table acr.garbage (
    file uuid primary key,
    size bigint not null default 0,
    at   timestamptz not null default clock_timestamp()
);
create index garbage_at on acr.garbage (at);
