-- A closing upload in one round trip, for the case that all is as it mostly is: the registry, the caller's rights and
-- the repository are as the caller knows them, the session is whole, and no blob has the digest yet. True: the blob is
-- there and linked, and the session's row is gone. False: something is otherwise and nothing was changed; what it is,
-- the caller finds out, statement by statement. Each statement in here sees what was committed before it began, as
-- statements of a client do. Lock order: registry, repository, upload, blob, link.
create function acr.publish(decided_stamp text, registry_key bigint, admin boolean, password_1 bigint, password_2 bigint,
                            group_key bigint, repository_name text, upload_key uuid, blob_digest text, bytes bigint, whole boolean)
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
    -- With `whole`, the file's size must be the session's: no closing request with a body was cut in it.
    with u as materialized (
        select s.id from acr.upload s
            where s.id = upload_key and s.registry_id = registry_key and s.repository = repository_name
              and (not whole or s.put_from is null or s.put_from >= bytes) for update)
    insert into acr.blob (registry_id, digest, size, file) select registry_key, blob_digest, bytes, u.id from u
        on conflict (registry_id, digest) do nothing;
    if not found then
        return false;
    end if;
    with l as (
        insert into acr.blob_link (repository_id, registry_id, digest) values (repository_key, registry_key, blob_digest)
            on conflict (repository_id, digest) do nothing)
    delete from acr.upload s where s.id = upload_key;
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
