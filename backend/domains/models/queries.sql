-- name: add_artefact(hash, kind, body, who, now)!
-- A model's bytes are stored once, whoever comes first.
insert into models.artefacts (hash, kind, body, added_by, added_at) values (:hash, :kind, :body, :who, :now)
on conflict (hash) do nothing;

-- name: artefact(hash)$
-- The bytes of a model.
select body from models.artefacts where hash = :hash;

-- name: register(id, name, type, family, purpose, owner, data_list, artefact, decides, external, who, why, now)$
-- A new draft and the first line of its life; no row when this artefact is registered for this use already.
with added as (
    insert into models.models (id, name, type, family, purpose, owner, data_list, artefact, decides, external,
        made_by, made_at)
    values (:id, :name, :type, :family, :purpose, :owner, :data_list, :artefact, :decides, :external, :who, :now)
    on conflict (artefact, type, family) do nothing
    returning id
)
insert into models.events (model_id, seq, from_status, to_status, who, why, at)
select id, 1, null, 'draft', :who, :why, :now from added
returning model_id;

-- name: get(id)^
-- One model with its report.
select * from models.models where id = :id;

-- name: all_models()
-- The register, newest first; without reports, which are large.
select id, name, type, family, purpose, owner, data_list, artefact, decides, external, status,
       null::jsonb as report, made_by, made_at, tested_by, reviewed_by, approved_by
from models.models order by made_at desc, id;

-- name: nameable()
-- What a flow may name by its hash, the newest first; an artefact registered twice once, in its furthest status.
select artefact, name, status from (
    select distinct on (artefact) artefact, name, status, made_at from models.nameable
    order by artefact, array_position(array['live', 'watch', 'shadow', 'approved'], status), made_at desc
) each order by made_at desc, artefact;

-- name: events(id)
-- The life of a model, first act first.
select seq, from_status, to_status, who, why, at from models.events where model_id = :id order by seq;

-- name: move(id, from_status, to_status, report, tested_by, reviewed_by, approved_by, who, why, now)$
-- Compare and set, and the act in the same statement; no row when somebody else was faster.
with moved as (
    update models.models set status = :to_status, report = :report, tested_by = :tested_by,
        reviewed_by = :reviewed_by, approved_by = :approved_by
    where id = :id and status = :from_status
    returning id
)
insert into models.events (model_id, seq, from_status, to_status, who, why, at)
select m.id, 1 + (select max(seq) from models.events e where e.model_id = m.id), :from_status, :to_status, :who,
       :why, :now
from moved m
returning seq;

-- name: add_report(model_id, seq, report, html, pdf)!
-- The report as it was drawn for those who review; one for each act that made the model tested.
insert into models.reports (model_id, seq, report, html, pdf) values (:model_id, :seq, :report, :html, :pdf);

-- name: report_file(model_id, seq)^
-- The files of one act's report.
select html, pdf from models.reports where model_id = :model_id and seq = :seq;

-- name: report_numbers(model_id)
-- Which acts brought a report that was drawn.
select seq from models.reports where model_id = :model_id order by seq;

-- name: propose_line_up(id, family, champion, challenger, share_bp, why, who, now)$
-- A wish that waits for a second person; no row unless both models are in use and may decide for this family, and
-- nothing waits yet.
insert into models.line_up_proposals (id, family, champion, challenger, share_bp, why, maker, made_at)
select :id, :family, :champion, :challenger, :share_bp, :why, :who, :now
where not exists (
    select from unnest(array[:champion::uuid, :challenger::uuid]) as wanted (id)
    where wanted.id is not null and not exists (
        select from models.models m where m.id = wanted.id and m.decides and m.status in ('live', 'watch')
          and m.family in (:family, '*'))
)
on conflict (family) where status = 'proposed' do nothing
returning id;

-- name: proposal(id)^
-- One wish.
select * from models.line_up_proposals where id = :id;

-- name: proposals()
-- Those that wait for a second person.
select * from models.line_up_proposals where status = 'proposed' order by made_at, id;

-- name: agree_line_up(id, who, answer, now)$
-- The second person's yes and the line-up in one statement: from its commit on these decide. No row when it was
-- answered before, is the person's own, or one of the models may not decide any more.
with agreed as (
    update models.line_up_proposals p set status = 'agreed', checker = :who, answer = :answer, answered_at = :now
    where p.id = :id and p.status = 'proposed' and p.maker <> :who and not exists (
        select from unnest(array[p.champion, p.challenger]) as wanted (id)
        where wanted.id is not null and not exists (
            select from models.models m where m.id = wanted.id and m.decides and m.status in ('live', 'watch')
              and m.family in (p.family, '*')))
    returning *
)
insert into models.line_ups (family, champion, challenger, share_bp, why, who, at, proposal, proposed_by)
select family, champion, challenger, share_bp, why, :who, :now, id, maker from agreed
returning seq;

-- name: refuse_line_up(id, who, answer, now)$
-- The second person's no.
update models.line_up_proposals set status = 'refused', checker = :who, answer = :answer, answered_at = :now
where id = :id and status = 'proposed' and maker <> :who
returning id;

-- name: withdraw_line_up(id, who, answer, now)$
-- Taken back by who proposed it, before anybody answered.
update models.line_up_proposals set status = 'withdrawn', withdrawn_by = :who, answer = :answer,
    answered_at = :now
where id = :id and status = 'proposed' and maker = :who
returning id;

-- name: back_line_up(family, who, why, now)$
-- The line-up before the newest one decides again, or the card of the release when there was none; on the proposal
-- it once had. No row when there is nothing to take back, or one of the models may not decide any more.
with newest as (
    select * from models.line_ups where family = :family order by seq desc limit 2
), last as (
    select * from newest order by seq desc limit 1
), before as (
    select * from newest order by seq limit 1
), target as (
    select l.family, case when b.seq < l.seq then b.champion end as champion,
           case when b.seq < l.seq then b.challenger end as challenger,
           case when b.seq < l.seq then b.share_bp else 0 end as share_bp,
           case when b.seq < l.seq then coalesce(b.proposal, l.proposal) else l.proposal end as proposal,
           case when b.seq < l.seq then coalesce(b.proposed_by, l.proposed_by) else l.proposed_by end as proposed_by
    from last l cross join before b
    where b.seq < l.seq or l.champion is not null
)
insert into models.line_ups (family, champion, challenger, share_bp, why, who, at, proposal, proposed_by)
select t.family, t.champion, t.challenger, t.share_bp, :why, :who, :now, t.proposal, t.proposed_by
from target t
where t.proposal is not null and t.proposed_by <> :who and not exists (
    select from unnest(array[t.champion, t.challenger]) as wanted (id)
    where wanted.id is not null and not exists (
        select from models.models m where m.id = wanted.id and m.decides and m.status in ('live', 'watch')
          and m.family in (t.family, '*')))
returning seq;

-- name: line_ups(family)
-- Who decided for a family, newest first.
select seq, family, champion, challenger, share_bp, why, who, at from models.line_ups
where family = :family order by seq desc limit 50;

-- name: line_up(family)^
-- Who decides for a family: its own newest line-up, else that for all families.
select l.*, c.artefact as champion_artefact, d.artefact as challenger_artefact
from models.line_ups l
left join models.models c on c.id = l.champion and c.status in ('live', 'watch')
left join models.models d on d.id = l.challenger and d.status in ('live', 'watch')
where l.family in (:family, '*')
order by (l.family = :family) desc, l.seq desc limit 1;

-- name: named_by(id)
-- Strategies that would name nothing without this model: submitted, approved, live, kept to by cases under way, tried.
select stage, product_code, number from models.named_by(:id);

-- name: deciding_for(id)
-- Families for which this model stands in the newest line-up.
select family from (
    select distinct on (family) family, champion, challenger from models.line_ups order by family, seq desc
) newest where champion = :id or challenger = :id;

-- name: in_use(statuses)
-- Models in some statuses, with what their monitors and shadows need.
select id, family, artefact, owner, report from models.models where decides and status = any(:statuses::text[])
order by id;

-- name: for_batches()
-- Registered and tested models that may not decide: what they score in batches is held against their training sample.
select id, family, artefact, owner, report from models.models
where not decides and report is not null and status not in ('draft', 'retired')
order by made_at desc, id;

-- name: tested(artefact)^
-- The newest registration of an artefact that has a report.
select id, family, artefact, owner, report from models.models
where artefact = :artefact and report is not null and status not in ('draft', 'retired')
order by made_at desc, id limit 1;

-- name: add_shadow_score(institution_id, decision_id, model_id, score, error, now)!
-- What a shadow would have said; once.
insert into models.shadow_scores (institution_id, decision_id, model_id, score, error, at)
values (:institution_id, :decision_id, :model_id, :score, :error, :now)
on conflict do nothing;

-- name: add_observation(institution_id, decision_id, model_hash, bins, proposed, now)!
-- Where the features of a decided case fell; once.
insert into models.observations (institution_id, decision_id, model_hash, bins, proposed, at)
values (:institution_id, :decision_id, :model_hash, :bins, :proposed, :now)
on conflict do nothing;

-- name: add_named_observation(institution_id, decision_id, model_hash, score, bins, proposed, now)!
-- What a model said that a flow names, and where its features fell; once.
insert into models.named_observations (institution_id, decision_id, model_hash, score, bins, proposed, at)
values (:institution_id, :decision_id, :model_hash, :score, :bins, :proposed, :now)
on conflict do nothing;

-- name: named_lately(since)
-- Models that flows named and that were asked since.
-- scope: all institutions, because a model of the union is watched over all counties; hashes only.
select distinct model_hash from models.named_observations where at >= :since order by model_hash;

-- name: decided_by(institution_id, decision_id)$
-- Which model scored a case, by the artefact: a county's points are added to it afterwards.
select model_hash from models.observations where institution_id = :institution_id and decision_id = :decision_id;

-- name: bins(model_hash, since)
-- How many cases fell into each bin of each feature, per county.
-- scope: all institutions, because a model of the union is watched over all counties; counts only.
select o.institution_id, b.key as feature, (b.value)::integer as bin, count(*)::integer as cases
from models.asked o, jsonb_each_text(o.bins) b
where o.model_hash = :model_hash and o.at >= :since
group by o.institution_id, b.key, b.value;

-- name: keep_result(institution_id, day, model_hash, measure, subject, value, level, cases, details, now)!
-- One figure of one day; measured again the same day, the later one stands.
insert into models.monitor_results (institution_id, day, model_hash, measure, subject, value, level, cases, details, at)
values (:institution_id, :day, :model_hash, :measure, :subject, :value, :level, :cases, :details, :now)
on conflict (institution_id, day, model_hash, measure, subject) do update
set value = excluded.value, level = excluded.level, cases = excluded.cases, details = excluded.details,
    at = excluded.at;

-- name: results(institution_id, model_hash, measure, since)
-- The series of one measure, for a chart.
select day, subject, value, level, cases, details from models.monitor_results
where institution_id = :institution_id and model_hash = :model_hash and measure = :measure and day >= :since
order by day, subject;

-- name: sound(institution_id, id, model_hash, measure, subject, level, value, owner, day)!
-- Raise an alarm, or say that an open one is still so. One that was answered within a week stays answered
-- unless it got worse.
insert into models.alarms (institution_id, id, model_hash, measure, subject, level, value, owner, raised_on, seen_on)
select :institution_id, :id, :model_hash, :measure, :subject, :level, :value, :owner, :day, :day
where not exists (
    select from models.alarms a
    where a.institution_id = :institution_id and a.model_hash = :model_hash and a.measure = :measure
      and a.subject = :subject and a.status = 'acknowledged' and a.seen_on > :day::date - 7
      and not (a.level = 'notice' and :level = 'moved')
)
on conflict (institution_id, model_hash, measure, subject) where status = 'open' do update
set level = excluded.level, value = excluded.value, seen_on = excluded.seen_on;

-- name: alarms(institution_id, statuses)
-- Alarms of a county (or of the union), open ones first.
select * from models.alarms where institution_id = :institution_id and status = any(:statuses::text[])
order by status desc, (level = 'moved') desc, raised_on, id;

-- name: acknowledge(institution_id, id, who, note, false_alarm, now)$
-- A person answers an alarm; no row when it was answered before.
update models.alarms set status = 'acknowledged', acknowledged_by = :who, note = :note, false_alarm = :false_alarm,
    acknowledged_at = :now
where institution_id = :institution_id and id = :id and status = 'open'
returning id;

-- name: alarm_exists(institution_id, id)$
-- Whether there is such an alarm at all, to tell "answered" from "unknown".
select true from models.alarms where institution_id = :institution_id and id = :id;

-- name: false_alarm_rate(institution_id, since)
-- Of the alarms people answered, how many were false, per measure (A6-06's question asked of our own monitors).
select measure, count(*)::integer as answered, count(*) filter (where false_alarm)::integer as false_ones
from models.alarms
where institution_id = :institution_id and status = 'acknowledged' and acknowledged_at >= :since
group by measure order by measure;

-- name: usage(model_hash, since)
-- How many decisions a model made, per county, and when last.
-- scope: all institutions, because a model of the union is used in all counties; counts only.
select institution_id, count(*)::integer as cases, max(at) as last_at
from models.asked where model_hash = :model_hash and at >= :since
group by institution_id order by institution_id;
