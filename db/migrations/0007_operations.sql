-- Asynchronous operations of Resource Manager are a view of their jobs: who asked for one, and what it is about.
alter table azsacr.job add column started_by uuid;
alter table azsacr.job add column scope text;

-- A group's deletion walks its resources by id, the latest first: children are younger than their parents.
create index resource_group_member on arm.resource (group_id, id);
