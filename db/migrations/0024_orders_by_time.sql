-- The orders by time, on an expression that only the statements of the lists write: an index that begins with the plain
-- column tempts the planner, while a table is young, to walk all of a repository for one name or digest.
drop index acr.tag_time;
drop index acr.manifest_time;
drop index acr.repository_time;
create index tag_time on acr.tag ((repository_id + 0), updated_at, name);
create index manifest_time on acr.manifest ((repository_id + 0), updated_at, digest);
create index repository_time on acr.repository ((registry_id + 0), updated_at, name)
    where deleted_at is null and manifest_count > 0;
