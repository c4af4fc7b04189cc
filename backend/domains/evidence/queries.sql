-- name: store(institution_id, application_id, source, consent_id, reference, sha256, facts, raw, observed_at, price_fen, now)$
-- The first answer of a source counts for the case; a second one changes nothing.
insert into evidence.answers
values (:institution_id, :application_id, :source, :consent_id, :reference, :sha256, :facts, :raw, :observed_at,
        :price_fen, :now)
on conflict do nothing
returning true;

-- name: answers(institution_id, application_id)
-- Everything known so far about one case.
select source, consent_id, reference, sha256, facts, raw, observed_at, price_fen
from evidence.answers
where institution_id = :institution_id and application_id = :application_id;

-- name: mark(institution_id, application_id, kind, mark, customer_id, now)!
-- Written once, at the submission.
insert into evidence.marks values (:institution_id, :application_id, :kind, :mark, :customer_id, :now)
on conflict do nothing;

-- name: repetition(institution_id, application_id)^
-- Counted back from the submission, so that a later replay of the case counts the same.
select
    (select count(distinct o.customer_id) from evidence.marks m join evidence.marks o
        on o.institution_id = m.institution_id and o.kind = m.kind and o.mark = m.mark
        and o.at between m.at - interval '30 days' and m.at
     where m.institution_id = :institution_id and m.application_id = :application_id and m.kind = 'device'
    ) as device_customers_30d,
    (select count(*) from evidence.marks m join evidence.marks o
        on o.institution_id = m.institution_id and o.kind = m.kind and o.mark = m.mark
        and o.at between m.at - interval '30 days' and m.at
     where m.institution_id = :institution_id and m.application_id = :application_id and m.kind = 'person'
    ) as person_applications_30d,
    (select count(distinct o.customer_id) from evidence.marks m join evidence.marks o
        on o.institution_id = m.institution_id and o.kind = m.kind and o.mark = m.mark
        and o.at between m.at - interval '90 days' and m.at
     where m.institution_id = :institution_id and m.application_id = :application_id and m.kind = 'address'
    ) as address_applications_90d;
