-- Deployments of templates: a record, its graph of operations, and the turn in which queued ones begin.

-- First in, first out within a subscription, round robin between subscriptions: a job that is queued is given the number after
-- its subscription's last one, and not less than that of the first in the queue. 0: no queue.
alter table azsacr.job add column turn bigint not null default 0;
drop index azsacr.job_due;
create index job_due on azsacr.job (turn, run_at) where state in ('Pending', 'Running');
create index job_queue on azsacr.job (turn) where state = 'Pending' and epoch = 0 and turn > 0;
create index job_queue_subscription on azsacr.job (subscription_id, turn) where state = 'Pending' and epoch = 0 and turn > 0;

create table arm.deployment (
    id               bigint generated always as identity primary key,
    subscription_id  uuid not null,
    group_id         bigint references arm.resource_group on delete cascade, -- null: of the subscription
    name             text not null,
    name_key         text not null collate "C",
    location         text, -- of the subscription's
    tags             json,
    state            text not null check (state in ('Accepted', 'Running', 'Succeeded', 'Failed', 'Canceled')),
    mode             text not null,
    debug            text, -- debugSetting.detailLevel
    sequence         text not null, -- of the URL that tells the status
    correlation_id   text not null,
    template_hash    text not null,
    template_link    json,
    parameters       json, -- as shown; null: the template has none
    providers        json not null,
    dependencies     json not null,
    outputs          json,
    output_resources json,
    error            json,
    on_error_type    text,
    on_error_name    text,
    on_error_id      bigint, -- the deployment that was begun for it
    template         bytea not null, -- sealed, for exports and onErrorDeployment
    input            bytea, -- sealed: values, who deploys; null when it is over
    kept             json, -- values that are no secrets, for onErrorDeployment; null where one was
    parent_id        bigint, -- that this one is nested in
    root_id          bigint, -- the outermost
    depth            integer not null default 0,
    job_id           uuid not null,
    branches         integer not null default 0, -- jobs that help it
    created_at       timestamptz not null default clock_timestamp(),
    changed_at       timestamptz not null default clock_timestamp()
);
create unique index deployment_name on arm.deployment (subscription_id, coalesce(group_id, 0), name_key);
create index deployment_history on arm.deployment (subscription_id, coalesce(group_id, 0), changed_at, id);
create index deployment_parent on arm.deployment (parent_id) where parent_id is not null;
create index deployment_group on arm.deployment (group_id) where group_id is not null;

-- A node of the graph, and what is shown of it once it began. What the run adds (outputs, deletions) has numbers behind the nodes'.
create table arm.deployment_operation (
    deployment_id bigint not null, -- goes with it, by the trigger below
    ordinal       integer not null,
    kind          text not null, -- provisioningOperation
    state         text not null check (state in ('Waiting', 'Running', 'Succeeded', 'Failed')),
    target        text, -- the resource's id
    type          text,
    name          text,
    api_version   text,
    alone         boolean not null default false, -- wants a step of its own
    depends_on    integer[] not null default '{}',
    body          bytea, -- sealed; null: made when its turn comes, or over
    child_id      bigint, -- the nested deployment
    tries         integer not null default 0,
    tracking_id   uuid,
    request_id    text, -- of the request that did it
    status        integer, -- HTTP
    message       json,
    request       json, -- as debugSetting wants them
    response      json,
    started_at    timestamptz,
    ended_at      timestamptz,
    primary key (deployment_id, ordinal)
);
create index deployment_operation_unfinished on arm.deployment_operation (deployment_id, ordinal)
    where state in ('Waiting', 'Running');

create function arm.deployment_goes() returns trigger language plpgsql as $$
begin
    delete from arm.deployment_operation o where o.deployment_id = old.id;
    return null;
end $$;
create trigger deployment_goes after delete on arm.deployment for each row execute function arm.deployment_goes();

-- The records of a subscription go with it; those of a group go with the group.
create function arm.subscription_goes() returns trigger language plpgsql as $$
begin
    delete from arm.deployment d where d.subscription_id = old.subscription_id;
    return null;
end $$;
create trigger subscription_goes after delete on arm.subscription for each row execute function arm.subscription_goes();
