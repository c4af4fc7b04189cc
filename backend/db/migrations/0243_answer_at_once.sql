-- The answer of a request is written down before it is sent, by one statement that is its own transaction: it says for
-- whom it works, and need not wait for the disk.
create function outbox.answer_request(inst text, of_key text, sealed bytea, moment timestamptz) returns void
    language plpgsql as $$
begin
    perform set_config('app.institution', inst, true), set_config('synchronous_commit', 'off', true);
    update outbox.idempotency r set answer = sealed, answered_at = moment
    where r.institution_id = inst and r.key = of_key and r.answered_at is null;
end $$;
grant execute on function outbox.answer_request(text, text, bytea, timestamptz) to xiaodai_app;
