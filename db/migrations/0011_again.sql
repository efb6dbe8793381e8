-- For statements whose rows nobody looks at before the commit: raised where one finds that its transaction has to be
-- run again, because what it was decided with is no longer so.
create function azsacr.again() returns integer language plpgsql volatile as $$
begin
    raise exception 'the transaction is to be run again' using errcode = 'AZ001';
end
$$;
