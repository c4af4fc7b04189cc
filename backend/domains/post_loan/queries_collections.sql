-- name: of_application(institution_id, application_id)^
-- The open case of a line.
select * from post_loan.collection_cases
where institution_id = :institution_id and application_id = :application_id and status = 'open';

-- name: get(institution_id, id)^
-- One case.
select * from post_loan.collection_cases where institution_id = :institution_id and id = :id;

-- name: of_owner(institution_id, owner_id, on, most)
-- An officer's cases that have their turn and are theirs to work on, the longest overdue first.
select * from post_loan.collection_cases
where institution_id = :institution_id and owner_id = :owner_id and status = 'open' and next_on <= :on
  and channel in ('call', 'visit', 'letter') and not do_not_contact
order by days_past_due desc, id
limit :most;

-- name: insert(institution_id, id, application_id, customer_id, owner_id, days_past_due, balance, action, channel, said, assessment_id, next_on, challenge_id, arm, on)!
-- Something is overdue: nothing is known of the person yet but that they have not paid.
insert into post_loan.collection_cases (institution_id, id, application_id, customer_id, owner_id, days_past_due,
    balance, segment, action, channel, said, assessment_id, next_on, challenge_id, arm, opened_on)
values (:institution_id, :id, :application_id, :customer_id, :owner_id, :days_past_due, :balance, 'forgetful', :action,
    :channel, :said, :assessment_id, :next_on, :challenge_id, :arm, :on);

-- name: replan(institution_id, id, owner_id, days_past_due, balance, action, channel, said, assessment_id, next_on)!
-- Tonight's plan; a day set by the pace of the last contact stays.
update post_loan.collection_cases
set owner_id = :owner_id, days_past_due = :days_past_due, balance = :balance, action = :action, channel = :channel,
    said = :said, assessment_id = :assessment_id, next_on = greatest(next_on, :next_on)
where institution_id = :institution_id and id = :id and status = 'open';

-- name: close(institution_id, id, on)!
-- Nothing is overdue any more.
update post_loan.collection_cases set status = 'closed', closed_on = :on
where institution_id = :institution_id and id = :id and status = 'open';

-- name: calls_since(institution_id, customer_id, since)$
-- Calls of one debtor over all lines and officers (D5-02).
select count(*) from post_loan.contacts
where institution_id = :institution_id and customer_id = :customer_id and channel = 'call' and held = '{}'
  and at >= :since;

-- name: contacted(institution_id, id, case_id, customer_id, channel, held, assessment_id, by_whom, notice_key, now)!
-- A contact, or one that was held back.
insert into post_loan.contacts (institution_id, id, case_id, customer_id, channel, held, assessment_id, by_whom,
    notice_key, at)
values (:institution_id, :id, :case_id, :customer_id, :channel, :held, :assessment_id, :by_whom, :notice_key, :now);

-- name: let_go(institution_id, notice_key)$
-- Whether the reminder of this notice was let go already: a later attempt is the same contact.
select exists(select 1 from post_loan.contacts
    where institution_id = :institution_id and notice_key = :notice_key and held = '{}');

-- name: messages_since(institution_id, customer_id, since)$
-- Reminders of one debtor over all lines.
select count(*) from post_loan.contacts
where institution_id = :institution_id and customer_id = :customer_id and channel in ('sms', 'app') and held = '{}'
  and at >= :since;

-- name: contacts(institution_id, case_id, most)
-- What was done and what was held back, the newest first.
select channel, held, by_whom, notice_key, at from post_loan.contacts
where institution_id = :institution_id and case_id = :case_id
order by at desc, id desc
limit :most;

-- name: pace(institution_id, id, next_on)!
-- Not again before.
update post_loan.collection_cases set next_on = greatest(next_on, :next_on)
where institution_id = :institution_id and id = :id;

-- name: add_note(institution_id, id, case_id, note, segment, promise_on, disputed, do_not_contact, by_whom, now)!
-- What came of a contact, for good.
insert into post_loan.contact_notes (institution_id, id, case_id, note, segment, promise_on, disputed, do_not_contact,
    by_whom, at)
values (:institution_id, :id, :case_id, :note, :segment, :promise_on, :disputed, :do_not_contact, :by_whom, :now);

-- name: set_state(institution_id, id, segment, promise_on, disputed, do_not_contact)!
-- What the strategy hears of from now on.
update post_loan.collection_cases
set segment = :segment, promise_on = :promise_on, disputed = :disputed, do_not_contact = :do_not_contact
where institution_id = :institution_id and id = :id and status = 'open';

-- name: notes(institution_id, case_id)
-- What came of the contacts, the newest first.
select id, note, segment, promise_on, at from post_loan.contact_notes
where institution_id = :institution_id and case_id = :case_id
order by at desc, id desc;

-- name: lock_debtor(customer_id)$
-- Two contacts of one debtor at once follow each other, so that the day's calls are counted right.
select pg_advisory_xact_lock(hashtextextended('post_loan.debtor' || :customer_id::text, 0));

-- name: hand_over(institution_id, from_officer, to_officer)!
-- An officer's open cases are another's to go on with.
update post_loan.collection_cases set owner_id = :to_officer
where institution_id = :institution_id and owner_id = :from_officer and status = 'open';
