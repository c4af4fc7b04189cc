-- name: add_campaign(institution_id, id, name, product_code, purpose, village, starts_on, ends_on, created_by, now)!
-- A campaign of one county; running from the start, its days decide.
insert into campaigns.campaigns
    (institution_id, id, name, product_code, purpose, village, starts_on, ends_on, created_by, created_at)
values (:institution_id, :id, :name, :product_code, :purpose, :village, :starts_on, :ends_on, :created_by, :now)
on conflict do nothing;

-- name: campaign(institution_id, id)^
-- One campaign.
select id, name, product_code, purpose, village, starts_on, ends_on, status
from campaigns.campaigns where institution_id = :institution_id and id = :id;

-- name: end_campaign(institution_id, id)!
-- Its codes are expired from this moment.
update campaigns.campaigns set status = 'ended'
where institution_id = :institution_id and id = :id and status = 'running';

-- name: add_material(institution_id, id, material_no, campaign_id, headline, risk_text, sha256, maker, now)$
-- The next version of a piece of material, not yet usable.
insert into campaigns.materials
    (institution_id, id, material_no, campaign_id, version, headline, risk_text, sha256, maker, made_at)
select :institution_id, :id, :material_no, :campaign_id,
       coalesce((select max(version) from campaigns.materials
                 where institution_id = :institution_id and material_no = :material_no), 0) + 1,
       :headline, :risk_text, :sha256, :maker, :now
returning version;

-- name: material(institution_id, id)^
-- One version of material.
select id, material_no, campaign_id, version, headline, risk_text, sha256, maker, reviewer, reviewed_at,
       withdrawn_at
from campaigns.materials where institution_id = :institution_id and id = :id;

-- name: approve_material(institution_id, id, reviewer, now)!
-- Reviewed by a second person (the table refuses the maker).
update campaigns.materials set reviewer = :reviewer, reviewed_at = :now
where institution_id = :institution_id and id = :id and reviewed_at is null;

-- name: withdraw_material(institution_id, id, now)!
-- Reaches every place at once: the codes that carry it are revoked from this moment (D4-03).
update campaigns.materials set withdrawn_at = :now
where institution_id = :institution_id and id = :id and withdrawn_at is null;

-- name: add_code(institution_id, id, serial, key_id, officer_id, qualification_no, campaign_id, placement, placement_label, material_id, issued_at, expires_at)$
-- Null when this place of this officer and campaign has a code already.
insert into campaigns.codes
    (institution_id, id, serial, key_id, officer_id, qualification_no, campaign_id, placement, placement_label,
     material_id, issued_at, expires_at)
values (:institution_id, :id, :serial, :key_id, :officer_id, :qualification_no, :campaign_id, :placement,
        :placement_label, :material_id, :issued_at, :expires_at)
on conflict do nothing
returning id;

-- name: verification(institution_id, serial, id)^
-- A code with its campaign and the withdrawal of its material, in one round trip: each scan asks it. By serial
-- (a scanned token) or by id (a code already attributed).
select c.institution_id, c.id, c.serial, c.key_id, c.officer_id, c.qualification_no, c.campaign_id, c.placement,
       c.placement_label, c.material_id, c.issued_at, c.expires_at, c.frozen_at, c.revoked_at, c.closed_reason,
       g.id as id_of_campaign, g.name, g.product_code, g.purpose, g.village, g.starts_on, g.ends_on, g.status,
       m.withdrawn_at
from campaigns.codes c
join campaigns.campaigns g on g.institution_id = c.institution_id and g.id = c.campaign_id
join campaigns.materials m on m.institution_id = c.institution_id and m.id = c.material_id
where c.institution_id = :institution_id
  and (c.serial = cast(:serial as text) or c.id = cast(:id as uuid));

-- name: verifications(institution_id, officers)
-- The same of all codes of some officers, newest first.
select c.institution_id, c.id, c.serial, c.key_id, c.officer_id, c.qualification_no, c.campaign_id, c.placement,
       c.placement_label, c.material_id, c.issued_at, c.expires_at, c.frozen_at, c.revoked_at, c.closed_reason,
       g.id as id_of_campaign, g.name, g.product_code, g.purpose, g.village, g.starts_on, g.ends_on, g.status,
       m.withdrawn_at
from campaigns.codes c
join campaigns.campaigns g on g.institution_id = c.institution_id and g.id = c.campaign_id
join campaigns.materials m on m.institution_id = c.institution_id and m.id = c.material_id
where c.institution_id = :institution_id and c.officer_id = any(:officers::uuid[])
order by c.issued_at desc, c.id desc;

-- name: code(institution_id, id)^
-- One code by id, for attribution and the studio.
select institution_id, id, serial, key_id, officer_id, qualification_no, campaign_id, placement, placement_label,
       material_id, issued_at, expires_at, frozen_at, revoked_at, closed_reason
from campaigns.codes where institution_id = :institution_id and id = :id;

-- name: codes(institution_id)
-- All codes of the county, newest first.
select institution_id, id, serial, key_id, officer_id, qualification_no, campaign_id, placement, placement_label,
       material_id, issued_at, expires_at, frozen_at, revoked_at, closed_reason
from campaigns.codes
where institution_id = :institution_id
order by issued_at desc, id desc;

-- name: revoke(institution_id, id, reason, now)!
-- One revoke kills every printed copy (N1).
update campaigns.codes set revoked_at = :now, closed_reason = :reason
where institution_id = :institution_id and id = :id and revoked_at is null;

-- name: revoke_officer(institution_id, officer_id, reason, now)!
-- All codes of somebody who leaves or lost the authority.
update campaigns.codes set revoked_at = :now, closed_reason = :reason
where institution_id = :institution_id and officer_id = :officer_id and revoked_at is null;

-- name: freeze(institution_id, id, reason, now)!
-- One placement only, while it is looked into (N15).
update campaigns.codes set frozen_at = :now, closed_reason = :reason
where institution_id = :institution_id and id = :id and frozen_at is null and revoked_at is null;

-- name: add_scan(institution_id, id, code_id, now, channel, visitor, state)!
-- Attribution: who was sent where by which code (A3-05).
insert into campaigns.scans (institution_id, id, code_id, at, channel, visitor, state)
values (:institution_id, :id, :code_id, :now, :channel, :visitor, :state);

-- name: add_report(institution_id, id, ticket_no, code_id, kind, text_enc, contact_enc, teller, now)!
-- A ticket for the complaint desk.
insert into campaigns.reports
    (institution_id, id, ticket_no, code_id, kind, text_enc, contact_enc, teller, reported_at)
values (:institution_id, :id, :ticket_no, :code_id, :kind, :text_enc, :contact_enc, :teller, :now);

-- name: reports(institution_id)
-- Unanswered reports, oldest first.
select id, ticket_no, code_id, kind, text_enc, reported_at, answer_enc, answered_at
from campaigns.reports where institution_id = :institution_id and answered_at is null order by reported_at;

-- name: report(institution_id, ticket_no)^
-- One report by the number the person was told.
select id, ticket_no, code_id, kind, text_enc, reported_at, answer_enc, answered_at
from campaigns.reports where institution_id = :institution_id and ticket_no = :ticket_no;

-- name: answer_report(institution_id, id, answer_enc, now)!
-- Looked into, once.
update campaigns.reports set answer_enc = :answer_enc, answered_at = :now
where institution_id = :institution_id and id = :id and answered_at is null;

-- name: funnel(institution_id, campaign_id)
-- Scans, different visitors and reports per code of a campaign.
select c.id as code_id, count(s.id) as scans, count(distinct s.visitor) as visitors,
       (select count(*) from campaigns.reports r
        where r.institution_id = :institution_id and r.code_id = c.id) as reports
from campaigns.codes c
left join campaigns.scans s on s.institution_id = c.institution_id and s.code_id = c.id
where c.institution_id = :institution_id and c.campaign_id = :campaign_id
group by c.id order by c.id;
