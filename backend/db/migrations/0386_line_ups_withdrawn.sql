-- Who proposed a line-up may take the wish back until somebody answers it; until now it waited for a second person's no.
alter table models.line_up_proposals add column withdrawn_by text,
    drop constraint line_up_proposals_status_check,
    drop constraint line_up_proposals_check4,
    add check (status in ('proposed', 'agreed', 'refused', 'withdrawn')),   -- proposed -> agreed, refused, withdrawn
    add check (withdrawn_by = maker),
    add check ((status = 'withdrawn') = (withdrawn_by is not null)),
    add check ((status in ('agreed', 'refused')) = (checker is not null));
grant update (withdrawn_by) on models.line_up_proposals to xiaodai_app;
insert into xd.lifecycle (name, from_status, to_status) values ('line_up_proposal', 'proposed', 'withdrawn');
drop trigger signed_new on models.line_up_proposals;
drop trigger signed on models.line_up_proposals;
select xd.sign('models.line_up_proposals', 'id', 'maker', 'checker', 'withdrawn_by');
