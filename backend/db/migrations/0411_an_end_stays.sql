-- The end of a version is what two people agreed to at its approval: nobody takes it away or moves it afterwards, not by
-- bringing the version back either.
create function strategies.keep_end() returns trigger language plpgsql as $$
begin
    raise exception 'the end of an approved version stays' using errcode = 'check_violation';
end $$;
create trigger keep_end before update on strategies.versions for each row
    when (old.status not in ('draft', 'checked') and old.effective_until is distinct from new.effective_until)
    execute function strategies.keep_end();
