-- What a nested deployment made stays known to what it is nested in, whatever becomes of its own record: another of its
-- name takes its place, or somebody deletes it.
alter table arm.deployment_operation add column made json; -- [{"t":id,"y":type,"n":name,"e":only read}]; null: not nested, or not over
