-- Who creates a resource shares the group's advisory lock, taken before the statement that reads the group's state, and not
-- the group's row: sixteen who share a row write a multixact each. Who marks a group as going, hands it to a move or removes it
-- takes that lock alone, here, whichever release it is; so no creator is left who read the group's state before.
create function arm.group_changes() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7306, (old.id & 2147483647)::integer);
    if tg_op = 'UPDATE' then
        return new;
    end if;
    -- With its creators waited for and the row held by who deletes it, what the foreign key did.
    if exists (select from arm.resource r where r.group_id = old.id) then
        raise exception 'resource group % still has resources', old.id using errcode = 'foreign_key_violation';
    end if;
    return old;
end $$;
create trigger group_changes before update of state, moved_by on arm.resource_group for each row
    when (old.state is distinct from new.state or old.moved_by is distinct from new.moved_by)
    execute function arm.group_changes();
create trigger group_goes before delete on arm.resource_group for each row execute function arm.group_changes();
-- The other half: a resource's only inserts take the group's id from its row, with the lock held (arm/resource.h); a move
-- holds both groups' rows for update.
alter table arm.resource drop constraint resource_group_id_fkey;

-- A registry's row is made by the same statement as its resource's, with that row's id, and ids never change. That the
-- resource does not go before it is still refused.
create function acr.resource_goes() returns trigger language plpgsql as $$
begin
    if exists (select from acr.registry r where r.id = old.id) then
        raise exception 'resource % still has its registry', old.id using errcode = 'foreign_key_violation';
    end if;
    return null;
end $$;
create trigger resource_goes after delete on arm.resource for each row execute function acr.resource_goes();
alter table acr.registry drop constraint registry_id_fkey;

-- Written from constants only (arm_author_of).
alter table arm.resource drop constraint resource_created_by_type_check, drop constraint resource_changed_by_type_check;
