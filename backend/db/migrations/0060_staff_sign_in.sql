-- A sign-in of staff that is under way (A5-01): one use, ten minutes, one browser. The nonce and the PKCE verifier
-- follow from the state and the server's secret, so nothing here could be used by whoever reads the table.
create table identity.sign_in_states (
    state_hash bytea primary key,
    visit_hash bytea not null,
    next_path text not null,
    for_subject text not null,           -- a step-up: only this person may come back; '' for a first sign-in
    expires_at timestamptz not null,
    used_at timestamptz
);
select xd.share('identity.sign_in_states', writable => true);

-- When the sign-on last saw the person's proof (auth_time), for the step-up of risky actions.
alter table identity.staff_sessions add column authenticated_at timestamptz;
update identity.staff_sessions set authenticated_at = created_at;
alter table identity.staff_sessions alter column authenticated_at set not null;

-- The sign-on does not say which county a person works for.
create index on identity.staff (subject);
