-- Results of the monitors, one row per day; the union's own figures stand under its own number (0000).
create table models.monitor_results (
    institution_id text not null,
    day date not null,
    model_hash text not null,
    measure text not null check (measure in ('psi', 'csi', 'ks', 'approval', 'override', 'fairness')),
    subject text not null default '',    -- feature, officer, or group
    value numeric,
    level text not null check (level in ('steady', 'notice', 'moved', 'too_few')),
    cases integer not null check (cases >= 0),
    details jsonb not null,
    at timestamptz not null,
    primary key (institution_id, day, model_hash, measure, subject)
);
select xd.protect('models.monitor_results');

-- An alarm has an owner, and ends when a person says what it was (who, when, note).
create table models.alarms (
    institution_id text not null,
    id uuid not null,
    model_hash text not null,
    measure text not null,
    subject text not null,
    level text not null check (level in ('notice', 'moved')),
    value numeric,
    owner text not null check (owner <> ''),
    status text not null default 'open',
    raised_on date not null,
    seen_on date not null,               -- the last day it was still so
    acknowledged_by text,
    note text,
    false_alarm boolean,
    acknowledged_at timestamptz,
    primary key (institution_id, id),
    check (status in ('open', 'acknowledged')),
    check ((status = 'acknowledged') = (acknowledged_by is not null and coalesce(note, '') <> ''
        and false_alarm is not null and acknowledged_at is not null))
);
create unique index one_open_alarm on models.alarms (institution_id, model_hash, measure, subject)
    where status = 'open';
select xd.protect('models.alarms');

insert into xd.lifecycle (name, from_status, to_status) values ('model_alarm', 'open', 'acknowledged');
select xd.obey_lifecycle('models.alarms', 'model_alarm');
