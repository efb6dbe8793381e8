-- Tags of subscriptions, and the names and values that a subscription's owner laid down before anything carried them.
alter table arm.subscription add column tags json;

create table arm.tag_name (
    id              bigint generated always as identity primary key,
    subscription_id uuid not null references arm.subscription on delete cascade,
    name            text not null,
    name_key        text not null collate "C",
    unique (subscription_id, name_key)
);
-- Not by the name: name and value together can be longer than an index takes.
create table arm.tag_value (
    name_id bigint not null references arm.tag_name on delete cascade,
    value   text not null collate "C",
    primary key (name_id, value)
);
