-- Lists of resources: pages in the order of names, the same however many there are; a name that several groups have
-- stands by group. And a caller's own scopes, of which lists are made for those who may read little.
create index resource_page on arm.resource (subscription_id, type_key, name_key, group_id);
drop index arm.resource_subscription;
create index role_assignment_scopes on rbac.role_assignment (principal_id, scope_key);
drop index rbac.role_assignment_principal;

-- The job that moves resources out of this group or into it. While it is there and not at its end, nothing is made,
-- changed or deleted in the group.
alter table arm.resource_group add column moved_by uuid;
