-- What the sweep and the quota must know of a blob without a look at every manifest: whether one refers to it now,
-- whether one ever did, and whether somebody who may be about to push a manifest was told that it exists (a HEAD, a
-- mount, a push of the same bytes). Reference changes of one registry are serialised by its usage row, so each
-- trigger's own statement sees all of them.
alter table acr.blob
    add column referenced      boolean not null default false,
    add column ever_referenced boolean not null default false,
    add column promised        boolean not null default false;

update acr.blob b set referenced = true, ever_referenced = true
    where exists (select 1 from acr.manifest_ref f where f.registry_id = b.registry_id and f.digest = b.digest);

drop index acr.blob_touched;
create index blob_reclaim on acr.blob (ever_referenced, touched) where not referenced;
create index blob_unreferenced on acr.blob (registry_id) include (size) where not referenced;

create function acr.blob_gains_reference() returns trigger language plpgsql as $$
begin
    update acr.blob set referenced = true, ever_referenced = true
        where registry_id = new.registry_id and digest = new.digest and not referenced;
    return null;
end
$$;

create function acr.blob_loses_reference() returns trigger language plpgsql as $$
begin
    update acr.blob set referenced = false
        where registry_id = old.registry_id and digest = old.digest and referenced
          and not exists (select 1 from acr.manifest_ref f
                          where f.registry_id = old.registry_id and f.digest = old.digest);
    return null;
end
$$;

create trigger manifest_ref_gained after insert on acr.manifest_ref
    for each row execute function acr.blob_gains_reference();
create trigger manifest_ref_lost after delete on acr.manifest_ref
    for each row execute function acr.blob_loses_reference();
