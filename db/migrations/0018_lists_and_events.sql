-- Any page of a list costs the same, also by time and of one digest's tags: each order is an index.
create index tag_time on acr.tag (repository_id, updated_at, name);
create index tag_of_manifest on acr.tag (manifest_id, name);
drop index acr.tag_manifest;
create index manifest_time on acr.manifest (repository_id, updated_at, digest);
create index repository_time on acr.repository (registry_id, updated_at, name) where deleted_at is null and manifest_count > 0;

-- What happened to images, written by the transaction that did it, for webhooks to send: one row is one event of a
-- notification (its id, time, action, target and request). `number` is the order of writing; a row of a transaction that
-- took longer may appear behind a higher one. Kept for a day and a million rows (rp/data/event.c): who sends them takes
-- a copy of what is due.
create table acr.event (
    number      bigint generated always as identity primary key,
    id          uuid not null default gen_random_uuid(),
    registry_id bigint not null,
    at          timestamptz not null default clock_timestamp(),
    action      text not null check (action in ('push', 'delete', 'chart_push', 'chart_delete')),
    repository  text not null,
    tag         text,
    digest      text not null,
    media_type  text not null,
    size        bigint not null,
    request_id  uuid,
    host        text,
    method      text,
    user_agent  text
);
