-- The activity log: every write that Resource Manager was asked for. A row is one operation and is shown as two events, its
-- begin and its end; what goes on as a job has a row for its begin and one for its end. Weeks are partitions, dropped whole.

create sequence arm.activity_id;
create table arm.activity (
    log_id            uuid not null, -- the subscription; at tenant level the tenant
    at                timestamptz not null, -- of the end; of the begin where the end comes later
    id                bigint not null default nextval('arm.activity_id'),
    started_at        timestamptz, -- null: the begin has a row of its own
    ended             boolean not null,
    operation_id      uuid not null, -- the job's, for what goes on as a job
    correlation_id    text not null,
    client_request_id text,
    client_address    text,
    caller            text not null, -- as 403s name it: upn or app id
    object_id         uuid not null,
    app_id            text,
    is_user           boolean not null,
    method            text not null,
    action            text not null,
    scope             text not null, -- as the URL has it
    status            smallint not null,
    code              text, -- of a failure
    message           text,
    request_body      text, -- without secrets
    response_body     text
) partition by range (at);
create index activity_log on arm.activity (log_id, at, id);
-- An insert never fails for want of a week.
create table arm.activity_default partition of arm.activity default;

-- Makes the partitions of this week and the next two. What came into the default partition meanwhile moves to its week.
create function arm.activity_make_weeks() returns integer language plpgsql as $$
declare
    week  timestamp;
    name  text;
    made  integer := 0;
begin
    if not pg_try_advisory_xact_lock(7020398541208) then -- another replica is at it
        return 0;
    end if;
    for ahead in 0..2 loop
        week := date_trunc('week', now() at time zone 'UTC') + ahead * interval '7 days';
        name := 'activity_' || to_char(week, 'YYYYMMDD');
        continue when to_regclass('arm.' || name) is not null;
        execute format('create table arm.%I (like arm.activity including defaults)', name);
        lock table arm.activity_default in access exclusive mode;
        execute format('with moved as (delete from arm.activity_default where at >= %1$L and at < %2$L returning *) '
                       'insert into arm.%3$I select * from moved',
                       week at time zone 'UTC', (week + interval '7 days') at time zone 'UTC', name);
        execute format('alter table arm.activity attach partition arm.%I for values from (%L) to (%L)', name,
                       week at time zone 'UTC', (week + interval '7 days') at time zone 'UTC');
        made := made + 1;
    end loop;
    return made;
end $$;

-- Drops the oldest week of which nothing is younger than that many days; how many it dropped. One a transaction, for the lock
-- on the parent is held until its end.
create function arm.activity_drop_week(days integer) returns integer language plpgsql as $$
declare
    name text;
begin
    if not pg_try_advisory_xact_lock(7020398541208) then
        return 0;
    end if;
    select c.relname into name from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'arm.activity'::regclass and c.relname ~ '^activity_[0-9]{8}$'
        and to_date(right(c.relname, 8), 'YYYYMMDD') + 7 <= (now() at time zone 'UTC')::date - days
        order by c.relname limit 1;
    if name is null then
        delete from arm.activity_default where at < now() - days * interval '1 day';
        return 0;
    end if;
    execute format('drop table arm.%I', name);
    return 1;
end $$;

select arm.activity_make_weeks();

-- A job's end is its operation's: whoever ends it, and in that very transaction. Jobs that no write began have no such row.
create function arm.activity_of_job() returns trigger language plpgsql as $$
begin
    insert into arm.activity (log_id, at, ended, operation_id, correlation_id, client_request_id, client_address, caller,
                              object_id, app_id, is_user, method, action, scope, status, code, message)
        select a.log_id, clock_timestamp(), true, a.operation_id, a.correlation_id, a.client_request_id, a.client_address,
               a.caller, a.object_id, a.app_id, a.is_user, a.method, a.action, a.scope,
               coalesce((new.result->>'httpStatus')::smallint, case new.state when 'Succeeded' then 200 else 409 end),
               case new.state when 'Failed' then coalesce(new.result->'error'->>'code', new.result->>'code', 'Conflict') end,
               case new.state when 'Failed' then left(coalesce(new.result->'error'->>'message', new.result->>'message'), 1024)
               end
        from arm.activity a
        where a.log_id = new.subscription_id and a.operation_id = new.id and not a.ended
        and a.at >= new.created_at - interval '1 minute' and a.at <= new.created_at + interval '5 minutes'
        order by a.at, a.id limit 1;
    return null;
end $$;
create trigger job_activity after update of state on azsacr.job for each row
    when (new.state in ('Succeeded', 'Failed') and new.state is distinct from old.state and new.subscription_id is not null)
    execute function arm.activity_of_job();
