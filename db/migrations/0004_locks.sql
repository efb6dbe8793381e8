-- Management locks. The snapshot of rbac holds what is locked where: every change of a row raises rbac.version.
create table arm.lock (
    id         bigint generated always as identity primary key,
    scope      text not null, -- as the last PUT wrote it: the id of a lock echoes its casing
    scope_key  text not null collate "C", -- lower-cased
    name       text not null,
    name_key   text not null collate "C",
    level      text not null check (level in ('CanNotDelete', 'ReadOnly')),
    notes      text,
    owners     json,
    created_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp(),
    created_by json not null, -- {"name":…,"type":"User" or "Application"}
    changed_by json not null,
    unique (scope_key, name_key)
);
