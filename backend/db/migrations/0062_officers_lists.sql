-- An officer's customers, newest first, page by page: 1,500 households must stay fast (A1-04, A10-06).
create index officers_cases on applications.applications (institution_id, officer_id, updated_at desc, id desc);
-- An officer's codes, without walking those of the whole county.
create index on campaigns.codes (institution_id, officer_id, issued_at desc);
-- Dead letters stay few; the list must not walk millions of delivered effects.
create index dead_effects on outbox.effects (institution_id, created_at) where status = 'dead';
-- What came of a report (N15); sealed, since it tells of people.
alter table campaigns.reports add column answer_enc bytea;
