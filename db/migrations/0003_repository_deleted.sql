-- A live repository is found by its name, a deleted one by the job that removes it: an index of the registry alone would
-- tempt the planner to walk all repositories of a registry for one name.
create index repository_deleted on acr.repository (registry_id) where deleted_at is not null;
drop index acr.repository_registry;
