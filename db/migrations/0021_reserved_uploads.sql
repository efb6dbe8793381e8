-- Ids of uploads to come, committed before any of their files is made and in blocks, so that the first bytes of most uploads
-- wait for no commit of their own. From here a file's name moves to acr.upload, when its session outlives the moment, or with
-- the publish to acr.blob or acr.garbage; at every moment one row names the file.
create table acr.upload_reserved (
    id uuid primary key,
    at timestamptz not null default clock_timestamp()
);
create index upload_reserved_at on acr.upload_reserved (at);

-- As before, and the session may be one that has no row but its reservation. Nobody can have cut a closing request in it: that
-- makes the session's row first.
create or replace function acr.publish(decided_stamp text, registry_key bigint, admin boolean, password_1 bigint, password_2 bigint,
                                       group_key bigint, repository_name text, upload_key uuid, blob_digest text, bytes bigint,
                                       whole boolean)
    returns boolean language plpgsql as $$
declare
    repository_key bigint;
begin
    select p.id into repository_key
        from acr.registry r join acr.repository p on p.registry_id = r.id
        where r.id = registry_key and p.name = repository_name and p.deleted_at is null and p.write_enabled
        for key share of r for key share of p;
    if not found then
        return false;
    end if;
    -- Whoever moves the reservation to a session's row locks it first: seen here as gone, its row is seen by the next statement.
    perform from acr.upload_reserved s where s.id = upload_key for update;
    if not found then
        -- With `whole`, the file's size must be the session's: no closing request with a body was cut in it.
        perform from acr.upload s
            where s.id = upload_key and s.registry_id = registry_key and s.repository = repository_name
              and (not whole or s.put_from is null or s.put_from >= bytes) for update;
        if not found then
            return false;
        end if;
    end if;
    insert into acr.blob (registry_id, digest, size, file) values (registry_key, blob_digest, bytes, upload_key)
        on conflict (registry_id, digest) do nothing;
    if not found then
        return false;
    end if;
    with l as (
        insert into acr.blob_link (repository_id, registry_id, digest) values (repository_key, registry_key, blob_digest)
            on conflict (repository_id, digest) do nothing),
    s as (
        delete from acr.upload_reserved where id = upload_key)
    delete from acr.upload where id = upload_key;
    -- After all that can wait: whether what was decided still holds.
    if not exists (select 1 from rbac.version v, acr.registry r, arm.resource e
                   where v.stamp = decided_stamp and r.id = registry_key and r.admin_enabled = admin
                     and r.password_stamp = password_1 and r.password2_stamp = password_2
                     and e.id = r.id and e.group_id = group_key) then
        raise exception 'the access data moved on' using errcode = 'serialization_failure';
    end if;
    return true;
end
$$;
