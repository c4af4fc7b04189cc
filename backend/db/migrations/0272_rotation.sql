-- Sealing rows anew opens what is else closed, so it is for a role of its own that `rotate-keys` alone takes on by the
-- owner's login. The application may set xd.resealing as it likes: it is not heard.
do $$
begin
    if not exists (select from pg_roles where rolname = 'xiaodai_rotation') then
        create role xiaodai_rotation nologin nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
end $$;
grant xiaodai_app to xiaodai_rotation;
grant xiaodai_rotation to current_user;

create function xd.resealing() returns text language sql stable
    return case when pg_has_role(current_user, 'xiaodai_rotation', 'usage')
        then nullif(current_setting('xd.resealing', true), '') end;

create or replace function xd.refuse_change() returns trigger language plpgsql as $$
declare
    resealing text := xd.resealing();
begin
    if tg_op = 'UPDATE' and resealing is not null and to_jsonb(new) - resealing = to_jsonb(old) - resealing then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

create or replace function guarantees.keep_the_word() returns trigger language plpgsql as $$
declare
    resealing text := coalesce(xd.resealing(), '-');
    ending constant text[] := array['status', 'why', 'ended_at', 'updated_at'];
begin
    if to_jsonb(new) - ending - resealing is distinct from to_jsonb(old) - ending - resealing then
        raise exception 'a confirmed guarantee is not changed' using errcode = 'check_violation';
    end if;
    return new;
end $$;

revoke update (content) on contracts.documents from xiaodai_app;
revoke update (capsule) on decision.decisions from xiaodai_app;
revoke update (facts, raw) on evidence.answers from xiaodai_app;
revoke update (capsule) on decision.assessments from xiaodai_app;
revoke update (note) on post_loan.contact_notes from xiaodai_app;
grant update (content) on contracts.documents to xiaodai_rotation;
grant update (capsule) on decision.decisions to xiaodai_rotation;
grant update (facts, raw) on evidence.answers to xiaodai_rotation;
grant update (capsule) on decision.assessments to xiaodai_rotation;
grant update (note) on post_loan.contact_notes to xiaodai_rotation;
