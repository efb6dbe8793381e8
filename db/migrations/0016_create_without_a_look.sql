-- A look that finds no resource takes 32 ids for the process at once, so that the creates that follow need no look of their
-- own (arm/seen_groups.h). The release before takes one of them and leaves the others unused, which costs nothing.
alter sequence arm.resource_id_seq increment by 32;

-- A group's deletion walks by type and name, children before their parents, with the index that names are unique by; the
-- ids' order says nothing about parents any more.
drop index arm.resource_group_member;

-- 128 random bits; nobody looks a registry up by them.
alter table acr.registry drop constraint registry_rid_key;
