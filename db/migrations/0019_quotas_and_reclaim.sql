-- What a subscription's registries may take, where a registry has no quota of its own; null: not limited here.
create table acr.subscription_quota (
    subscription_id uuid primary key references arm.subscription on delete cascade,
    registries      bigint check (registries >= 0),
    registry_bytes  bigint check (registry_bytes >= 0)
);

-- What all registries together may take; null: as much as the store holds.
create table acr.stamp (
    "only"        boolean primary key default true check ("only"),
    maximum_bytes bigint check (maximum_bytes >= 0)
);
insert into acr.stamp default values;

-- A session's size as it was written down last, for the sums that bound uploads; the file's size decides.
alter table acr.upload add column size bigint not null default 0;
create index upload_registry on acr.upload (registry_id);

-- lost: the file is not there, or does not have the digest, and nothing could mend it. Such a blob is unknown to whoever
-- asks for it, so that clients push it again, which mends it.
alter table acr.blob add column lost boolean not null default false;

-- What waits for its first manifest counts against the room for uploads. What a manifest let go does not: it was deleted.
-- The sweep takes the others from the same index, in order of their digests.
drop index acr.blob_unreferenced;
create index blob_unreferenced on acr.blob (registry_id, digest) include (ever_referenced, size) where not referenced;

-- A deleted repository that is kept for `azsacrd recover` until the operator's retention is over; a manifest that is deleted
-- meanwhile lies in one of its own. Without a retention a job removes it at once.
alter table acr.repository add column kept boolean not null default false;
create index repository_kept on acr.repository (deleted_at) where kept;
