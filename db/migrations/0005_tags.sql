-- Tags of subscriptions, and the names and values that a subscription's owner laid down before anything carried them.
alter table arm.subscription add column tags json;

create table arm.tag_name (
    subscription_id uuid not null references arm.subscription on delete cascade,
    name            text not null,
    name_key        text not null collate "C",
    primary key (subscription_id, name_key)
);
create table arm.tag_value (
    subscription_id uuid not null,
    name_key        text not null collate "C",
    value           text not null collate "C",
    primary key (subscription_id, name_key, value),
    foreign key (subscription_id, name_key) references arm.tag_name on delete cascade
);
