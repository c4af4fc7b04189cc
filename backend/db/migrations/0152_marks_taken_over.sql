-- The marks of submissions live in the graph now; what was seen so far comes along, in the order it was seen.
do $$
declare
    inst text;
    seen evidence.marks;
begin
    perform set_config('app.institution', '*', true);
    for inst in select distinct institution_id from evidence.marks order by 1 loop
        perform set_config('app.institution', inst, true);
        for seen in select * from evidence.marks where institution_id = inst order by at, application_id, kind loop
            insert into relations.sightings (institution_id, application_id, kind, key, customer_id, at)
            values (inst, seen.application_id, seen.kind, seen.mark, seen.customer_id, seen.at);
            if seen.kind in ('device', 'address') then
                perform relations.connect(inst, seen.customer_id, seen.kind, seen.mark, 'used', 'application',
                                          seen.application_id, seen.at);
            end if;
        end loop;
    end loop;
    perform set_config('app.institution', '', true);
end $$;

drop table evidence.marks;
