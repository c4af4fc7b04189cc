-- What head office is only writing is not a county's to read (0240), nor is what was done with it: the moves, check runs
-- and approvals of a version are read by whoever reads the version. Head office's own come by layer_writes.
do $$
declare
    target text;
begin
    foreach target in array array['strategies.moves', 'strategies.check_runs', 'strategies.approvals'] loop
        execute format('drop policy layer_reads on %s', target);
        execute format('create policy layer_reads on %1$s for select using ('
            'xd.institution() is not null and (institution_id = xd.institution() or xd.institution() = ''*'' or exists ('
            'select from strategies.versions v where v.institution_id = ''*'' and %1$s.institution_id = ''*'' '
            'and v.id = %1$s.version_id)))', target);
    end loop;
end $$;
