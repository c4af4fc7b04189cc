-- A request with a key that changes something (trust §1 no 3): claimed in the transaction of its first change,
-- answered once its answer is known. The unique (institution_id, key) and the request hash are kept for ever, so that
-- a key never means two requests: some 100 bytes a request. The answer itself may show a person's data and serves a
-- repeat only, which comes within seconds: it is emptied after two days (outbox.idempotency.ANSWERS_KEPT), and a
-- later repeat is led to the page that shows how things stand.
alter table outbox.idempotency rename column answer to outcome;
alter table outbox.idempotency
    alter column outcome drop not null,    -- what the change came to (an id of ours), for flows that make something
    add column leased_until timestamptz,   -- until then whoever claimed it is at work; afterwards a repeat takes over
    add column answered_at timestamptz,
    add column answer bytea;               -- sealed: status, headers and body
update outbox.idempotency set answered_at = created_at;
-- The key is looked up before it is known which institution its request works for; it is a keyed hash of 256 bits.
create index on outbox.idempotency (key);
create index answers_to_forget on outbox.idempotency (institution_id, answered_at) where answer is not null;
