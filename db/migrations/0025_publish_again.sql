-- As before, with fewer statements: what is as it mostly is runs through without a look of its own. Lock order: repository, blob,
-- link, upload, registry. The registry's row comes last, with the proof: who deletes it waits for no row of its content.
create or replace function acr.publish(decided_stamp text, registry_key bigint, admin boolean, password_1 bigint, password_2 bigint,
                                       group_key bigint, repository_name text, upload_key uuid, blob_digest text, bytes bigint,
                                       whole boolean)
    returns boolean language plpgsql as $$
declare
    repository_key bigint;
begin
    select p.id into repository_key
        from acr.repository p
        where p.registry_id = registry_key and p.name = repository_name and p.deleted_at is null and p.write_enabled
        for key share;
    if not found then
        return false;
    end if;
    insert into acr.blob (registry_id, digest, size, file) values (registry_key, blob_digest, bytes, upload_key)
        on conflict (registry_id, digest) do nothing;
    if not found then
        return false;
    end if;
    insert into acr.blob_link (repository_id, registry_id, digest) values (repository_key, registry_key, blob_digest)
        on conflict (repository_id, digest) do nothing;
    -- Whoever moves the reservation to a session's row locks it first: seen here as gone, its row is seen by the next statement.
    delete from acr.upload_reserved where id = upload_key;
    if not found then
        -- With `whole`, the file's size must be the session's: no closing request with a body was cut in it.
        delete from acr.upload s
            where s.id = upload_key and s.registry_id = registry_key and s.repository = repository_name
              and (not whole or s.put_from is null or s.put_from >= bytes);
        if not found then
            raise exception 'the session is not as it was' using errcode = 'serialization_failure';
        end if;
    end if;
    -- After all that can wait: whether what was decided still holds.
    perform from rbac.version v, acr.registry r, arm.resource e
        where v.stamp = decided_stamp and r.id = registry_key and r.admin_enabled = admin
          and r.password_stamp = password_1 and r.password2_stamp = password_2
          and e.id = r.id and e.group_id = group_key
        for key share of r;
    if not found then
        raise exception 'the access data moved on' using errcode = 'serialization_failure';
    end if;
    return true;
end
$$;
