-- Who made a resource and who changed it last, as systemData tells it: the upn of a user, the id of an application. Null
-- for resources from before this was kept.
alter table arm.resource
    add column created_by      text,
    add column created_by_type text check (created_by_type in ('User', 'Application')),
    add column changed_by      text,
    add column changed_by_type text check (changed_by_type in ('User', 'Application'));
