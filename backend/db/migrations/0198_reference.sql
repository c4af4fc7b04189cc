-- Reference data that processes keep (`db/reference.py`): each change of a family gives it a stamp that never was
-- before, so that what was kept under another stamp is not used again. Readers see a new stamp with the change itself.
create table xd.reference (
    family text primary key,
    stamp uuid not null default gen_random_uuid()
);
select xd.share('xd.reference');

create function xd.reference_changed() returns trigger
    language plpgsql security definer set search_path = '' as $$
begin
    update xd.reference set stamp = gen_random_uuid() where family = tg_argv[0];
    return null;
end $$;

create function xd.keep_reference(target regclass, kept_as text) returns void language plpgsql as $$
begin
    insert into xd.reference (family) values (kept_as) on conflict do nothing;
    execute format('create trigger reference_changed after insert or update or delete or truncate on %s'
                   ' for each statement execute function xd.reference_changed(%L)', target, kept_as);
end $$;
revoke execute on function xd.keep_reference(regclass, text) from public;

select xd.keep_reference('products.brands', 'products');
select xd.keep_reference('products.series', 'products');
select xd.keep_reference('products.products', 'products');
select xd.keep_reference('products.versions', 'products');
select xd.keep_reference('products.publications', 'products');
select xd.keep_reference('products.openings', 'products');
select xd.keep_reference('regulation.parameters', 'regulation');
select xd.keep_reference('institutions.institutions', 'institutions');
select xd.keep_reference('decision.live', 'live');
select xd.keep_reference('decision.versions', 'versions');
select xd.keep_reference('models.models', 'models');
select xd.keep_reference('models.line_ups', 'models');
