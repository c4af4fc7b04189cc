-- What the platform reported about a subscription notice (subscribe_msg_sent_event): proof that it was shown, or the
-- reason to tell the person by another means (N17).
alter table channels.grants
    add column message_id text,          -- the platform's number of the notice; beyond 2^53, so text
    add column reported_at timestamptz,
    add column report text;              -- 'success', else the platform's error code
create index on channels.grants (message_id) where message_id is not null;
