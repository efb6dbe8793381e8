-- Linked templates: where a template came from, and what links led to when they were followed: a deployment that goes on
-- after a crash asks nobody again.
alter table arm.deployment
    add column parameters_link json, -- as shown; template_link is the same of its template
    add column link bytea, -- sealed, with its query: what relative links in the template start at
    add column kept_sealed bytea; -- what `kept` is where a value is a secret

create table arm.deployment_link (
    root_id bigint not null, -- the outermost deployment; goes with it, by the trigger below
    key     text not null collate "C", -- digest of the address
    content bytea, -- sealed, as it came; null: it could not be fetched
    error   json,
    primary key (root_id, key)
);

create or replace function arm.deployment_goes() returns trigger language plpgsql as $$
begin
    delete from arm.deployment_operation o where o.deployment_id = old.id;
    delete from arm.deployment_link l where l.root_id = old.id;
    return null;
end $$;
