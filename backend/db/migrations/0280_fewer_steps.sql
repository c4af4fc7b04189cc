-- Whether a request was answered before, for whoever asks before it is known which institution it works for: with its
-- scope in the function, one round trip asks it in place of a transaction's three.
create function outbox.request_with(wanted text)
    returns table (institution_id text, request_hash bytea, outcome text, leased_until timestamptz,
                   answered_at timestamptz, answer bytea)
    language sql stable set app.institution = '*' as $$
    select r.institution_id, r.request_hash, r.outcome, r.leased_until, r.answered_at, r.answer
    from outbox.idempotency r where r.key = wanted;
$$;

-- Decisions are called out (`outbox/queue.py`); jobs of a version before would wait for a worker that is gone. The
-- sweep finds their effects.
do $$ begin
    if to_regclass('queue.pgqueuer') is not null then
        delete from queue.pgqueuer where entrypoint = 'first';
    end if;
end $$;

-- A case that nobody outside need be asked about is decided as it is taken up.
insert into xd.lifecycle values
    ('application', 'submitted', 'approved'), ('application', 'submitted', 'declined'),
    ('application', 'submitted', 'referred');
