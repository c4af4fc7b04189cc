"""JR/T 0171-2020 class of every column of every table (D3-14); a column nobody declared fails a test.

C3 (passwords, faces, one-time codes) has no column: of codes and session tokens only a keyed hash is kept, of a
face only the provider's verdict, and the effect that carries a code to the SMS platform is emptied once it is sent.
An answer kept for a repeated request may hold a cookie or a hand-off code: it is sealed a second time, under what only
the one who asked still has (`web/request_keys.py`), and emptied after two days.
C2 (who a person is, how to reach them, what they own and owe, what they wrote) is one of

- `sealed`: AES-256-GCM or SM4-GCM under the vault, bound to table, column and row (see `sealed.py`);
- `index`: a keyed hash, for equality only;
- `figures`: amounts, rates, grades that SQL must add up and compare. They stand beside ids alone; whose they are
  is found through `customers.people`, where every word is sealed.

Everything else is C1: ids, codes of ours, dates, states, the union's own and public facts. WeChat's openid is an id
of one official account that names nobody outside it. Birth date, sex and nation alone name nobody; rules and
fairness reports need them.
"""

import msgspec


class Columns(msgspec.Struct, frozen=True):
    """Column names by class, separated by blanks; no name stands twice."""

    plain: str = ""
    sealed: str = ""
    index: str = ""
    figures: str = ""


CLASSES: dict[str, Columns] = {
    "applications.applications": Columns(
        plain="institution_id id application_no session_id customer_id openid product_code product_version channel "
        "code_id officer_id brought_by status is_internet_loan step purpose liveness submitted_at decided_at "
        "promised_at created_at updated_at version",
        sealed="declared",
        figures="amount_fen term_months",
    ),
    "applications.captures": Columns(
        plain="institution_id id application_id guarantee_id kind sha256 corrected archive_receipt archived_at "
        "destroyed_at created_at",
        sealed="reading confirmed",
    ),
    "applications.events": Columns(
        plain="institution_id application_id seq event from_status to_status who why at hash"
    ),
    "audit.entries": Columns(plain="institution_id seq at actor action subject details hash"),
    "audit.heads": Columns(plain="institution_id seq hash"),
    "campaigns.campaigns": Columns(
        plain="institution_id id name product_code purpose village starts_on ends_on status created_by created_at"
    ),
    "campaigns.codes": Columns(
        plain="institution_id id serial key_id officer_id qualification_no campaign_id placement placement_label "
        "material_id issued_at expires_at frozen_at revoked_at closed_reason released_at"
    ),
    "campaigns.freezes": Columns(
        plain="institution_id id code_id pattern counted most minutes frozen_at released_by released_at reason"
    ),
    "campaigns.materials": Columns(
        plain="institution_id id material_no campaign_id version headline risk_text sha256 maker made_at reviewer "
        "reviewed_at withdrawn_at"
    ),
    "campaigns.reports": Columns(
        plain="institution_id id ticket_no code_id kind reported_at answered_at",
        sealed="text_enc contact_enc answer_enc",
        index="teller",
    ),
    "campaigns.placement_limits": Columns(plain="placement pattern minutes most"),
    "campaigns.signals": Columns(plain="institution_id id code_id kind at", index="subject"),
    "campaigns.scans": Columns(plain="institution_id id code_id at channel state", index="visitor"),
    "campaigns.touches": Columns(
        plain="institution_id id customer_id application_id kind assessment_id by_whom at"
    ),
    "channels.access_tokens": Columns(
        plain="app_id name expires_at refreshing_by refreshing_until", sealed="token"
    ),
    "channels.bind_links": Columns(plain="institution_id id token_hash openid created_at expires_at used_at"),
    "channels.followers": Columns(
        plain="institution_id openid code_id code_token officer_id product_code routed_at following "
        "last_message_at last_event_at created_at"
    ),
    "channels.grants": Columns(
        plain="institution_id id openid template_id granted_at reserved_for reserved_at used_at void_at message_id "
        "reported_at report"
    ),
    "channels.leads": Columns(plain="institution_id id openid code_id officer_id product_code scanned_at"),
    "channels.messages": Columns(
        plain="institution_id id openid kind topic received_at", sealed="text reply"
    ),
    "channels.notices": Columns(
        plain="institution_id id key case_id about means steps sent_at ended_at created_at"
    ),
    "channels.oauth_states": Columns(plain="state_hash visit_hash next_path tries expires_at used_at"),
    "channels.received": Columns(plain="key served_by message_id received_at"),
    "channels.scene_codes": Columns(plain="institution_id code_id ticket url expires_at made_at"),
    "channels.sms_messages": Columns(
        plain="institution_id message_id case_id template status accepted_at receipt_at"
    ),
    "channels.tickets": Columns(
        plain="institution_id id ticket_no kind openid customer_id owner_id status due_at created_at answered_at",
        sealed="text answer",
    ),
    "contracts.contracts": Columns(
        plain="institution_id id application_id customer_id contract_no status agreed_by product_code product_name "
        "internet_consumer repayment_method purpose agreed_on valid_until manifest_sha256 offer_no bank_sequence "
        "polled_at signature_no line_no signed_at created_at updated_at",
        index="person_blind",
        figures="limit_amount annual_rate term_months",
    ),
    "contracts.disclosures": Columns(
        plain="institution_id id contract_id version sha256 shown_at confirmed_at required_seconds confirmed_by"
    ),
    "contracts.documents": Columns(
        plain="institution_id id contract_id position kind title sha256 created_at", sealed="content"
    ),
    "customers.bindings": Columns(plain="institution_id id openid customer_id bound_at unbound_at"),
    "customers.consent_proofs": Columns(plain="institution_id consent_id", index="person"),
    "customers.consent_texts": Columns(plain="institution_id sha256 source"),
    "customers.consents": Columns(
        plain="institution_id id customer_id purpose recipient version text_sha256 channel given_at valid_until "
        "withdrawn_at"
    ),
    "customers.notice_choices": Columns(plain="institution_id customer_id topic refused changed_at"),
    "customers.erasure_requests": Columns(
        plain="institution_id id customer_id ticket_no asked_by asked_at checked_by checked_at agreed done_at"
    ),
    "customers.freezes": Columns(
        plain="institution_id id customer_id frozen_by frozen_at release_asked_by release_asked_at released_by "
        "released_at",
        sealed="reason release_why",
    ),
    "customers.people": Columns(
        plain="institution_id id birth_on sex nation card_valid_from card_valid_until status created_at updated_at",
        sealed="name_enc id_number_enc phone_enc address_enc issuer_enc",
        index="id_number_blind phone_blind name_blind",
    ),
    "decision.assessments": Columns(
        plain="institution_id id stage subject application_id product_code outcome reason_codes completeness_bp "
        "versions capsule_sha256 assessed_at",
        sealed="capsule",
    ),
    "decision.county_versions": Columns(plain="institution_id hash stage body added_by added_at"),
    "decision.decisions": Columns(
        plain="institution_id id application_id attempt product_code outcome completeness_bp versions "
        "capsule_sha256 decided_at",
        sealed="capsule",
        figures="amount_fen annual_rate_bp term_months grade score reason_codes",
    ),
    "decision.last_cases": Columns(
        plain="institution_id application_id id product_code asked_at", sealed="facts"
    ),
    "decision.live": Columns(plain="institution_id product_code stage hash price_band until since"),
    "decision.nearest_changes": Columns(
        plain="institution_id decision_id actionable found_at", sealed="body"
    ),
    "decision.pins": Columns(plain="institution_id application_id versions pinned_at"),
    "decision.release_cards": Columns(plain="hash"),
    "decision.versions": Columns(plain="hash kind name stage body added_by added_at"),
    "evidence.answers": Columns(
        plain="institution_id application_id source consent_id reference sha256 observed_at price_fen recorded_at "
        "rung taken_from",
        sealed="facts raw",
    ),
    "evidence.breakers": Columns(
        plain="source state failures failed_at retry_at last_error changed_at held_until note noted_by"
    ),
    "guarantees.guarantees": Columns(
        plain="institution_id id application_id borrower_id token_hash status step session_id guarantor_id liveness "
        "liveness_session line_until until_on terms_version terms_sha256 shown_at required_seconds confirmed_at why "
        "created_at expires_at ended_at updated_at",
        sealed="terms",
        figures="amount",
    ),
    "handoff.tickets": Columns(
        plain="institution_id id application_id kind tries issued_at expires_at redeemed_at",
        index="code_index",
    ),
    "identity.customer_sessions": Columns(
        plain="institution_id id token_hash openid customer_id application_id created_at seen_at expires_at"
    ),
    "identity.one_time_codes": Columns(
        plain="institution_id id session_id purpose tries created_at expires_at used_at",
        index="phone_index code_hash",
    ),
    "identity.sign_in_states": Columns(
        plain="state_hash visit_hash next_path for_subject expires_at used_at"
    ),
    "identity.staff": Columns(
        plain="institution_id id staff_no name branch_id roles subject phone qualification_no authority_from "
        "authority_to active left_at"
    ),
    "identity.staff_sessions": Columns(
        plain="institution_id token_hash staff_id created_at seen_at expires_at revoked_at authenticated_at"
    ),
    "institutions.areas": Columns(plain="institution_id town villages"),
    "institutions.branches": Columns(plain="institution_id id name address"),
    "institutions.institutions": Columns(
        plain="id name short_name county service_phone address region_prefixes live_from position"
    ),
    "loans.loans": Columns(
        plain="institution_id id application_id contract_id loan_no line_no status drawn_at paid_off_at",
        figures="amount outstanding interest_paid term_months",
    ),
    "loans.postings": Columns(
        plain="institution_id event_id loan_id kind at", figures="principal interest outstanding"
    ),
    "loans.reconciliations": Columns(plain="institution_id bank_day events healed unexplained sha256 run_at"),
    "models.alarms": Columns(
        plain="institution_id id model_hash measure subject level value owner status raised_on seen_on "
        "acknowledged_by note false_alarm acknowledged_at"
    ),
    "models.artefacts": Columns(plain="hash kind body added_by added_at"),
    "models.events": Columns(plain="model_id seq from_status to_status who why at"),
    "models.line_up_proposals": Columns(
        plain="id family champion challenger share_bp why maker made_at status checker answer answered_at "
        "withdrawn_by"
    ),
    "models.line_ups": Columns(
        plain="seq family champion challenger share_bp why who at proposal proposed_by"
    ),
    "models.models": Columns(
        plain="id name type family purpose owner data_list artefact decides external status report made_by made_at "
        "tested_by reviewed_by approved_by"
    ),
    "models.monitor_results": Columns(
        plain="institution_id day model_hash measure subject value level cases details at"
    ),
    "models.observations": Columns(plain="institution_id decision_id model_hash proposed at bins"),
    "models.named_observations": Columns(
        plain="institution_id decision_id model_hash score proposed at bins"
    ),
    "models.reports": Columns(plain="model_id seq report html pdf"),
    "models.training_results": Columns(plain="institution_id training_id artefact report html pdf"),
    "models.training_tables": Columns(plain="institution_id training_id", sealed="body"),
    "models.trainings": Columns(
        plain="institution_id id source county_name columns cases status choices step turn attempts asked_by asked_at "
        "started_at ended_at forget_at model_id",
        sealed="said",
    ),
    "models.shadow_scores": Columns(plain="institution_id decision_id model_id error at", figures="score"),
    "outbox.effects": Columns(
        plain="institution_id id kind case_id key status attempts lost due_at leased_until last_error created_at "
        "delivered_at",
        sealed="payload",
    ),
    "outbox.idempotency": Columns(
        plain="institution_id key outcome leased_until answered_at created_at",
        sealed="answer",
        index="request_hash",
    ),
    "outbox.inbox": Columns(
        plain="institution_id source message_id case_id received_at applied_at outcome", sealed="payload"
    ),
    # Nobody in a practice county is real, so nothing in it is about anybody (migration 0140).
    "practice.accounts": Columns(plain="county household kind opened_on balance_fen"),
    "practice.contacts": Columns(plain="county household phone device payee place openid"),
    "practice.counties": Columns(plain="county name seed households people as_of_on plan checks loaded_at"),
    "practice.credit_lines": Columns(plain="county household granted_fen used_fen annual_rate_bp opened_on"),
    "practice.facts": Columns(
        plain="county household village town sex birth_on education id_expires_on blocklist_hit "
        "court_enforcement student_signal household_members household_years_resident household_rating "
        "household_debt core_payroll_months core_payroll_average social_security_months_24m "
        "housing_fund_months housing_fund_base core_known core_relationship_months "
        "core_deposit_average_6m core_wealth_balance core_inflow_12m core_inflow_months_12m "
        "core_loan_overdue_days core_internet_credit_granted core_account_frozen core_related_party "
        "bureau_found bureau_history_months bureau_queries_1m bureau_queries_6m bureau_overdue_amount "
        "bureau_overdue_months_24m bureau_worst_overdue_24m bureau_written_off bureau_lenders_open "
        "bureau_balance bureau_monthly_repayment bureau_card_limit bureau_card_used "
        "bureau_guarantee_balance bureau_internet_consumer_credit in_service_area requested_amount "
        "requested_term_months purpose declared_annual_income occupation device_customers_30d "
        "person_applications_30d address_applications_90d own_promised_credit identity_match phone_match "
        "liveness_result granted_fen annual_rate_bp defaulted"
    ),
    "practice.guarantees": Columns(plain="county household surety amount_fen"),
    "practice.harvests": Columns(plain="county household year crop area_tenths kg revenue_fen"),
    "practice.households": Columns(
        plain="county household village officer house_no members years_resident rating land_tenths income_fen"
    ),
    "practice.housing_fund": Columns(plain="county household months base_fen"),
    "practice.incomes": Columns(plain="county household slot source year_fen"),
    "practice.loans": Columns(
        plain="county household seq kind opened_on amount_fen balance_fen days_past_due history"
    ),
    "practice.officers": Columns(plain="county officer staff_no name households since_on"),
    "practice.payroll": Columns(plain="county household months employer average_fen"),
    "practice.people": Columns(
        plain="county household slot id_number name sex born_on relation occupation phone"
    ),
    "practice.pos": Columns(plain="county household months year_fen"),
    "practice.ring_members": Columns(plain="county household ring kind role"),
    "practice.signals": Columns(
        plain="county household loan_days_past_due loan_overdue_times_6m loan_inflow_change_bp "
        "loan_deposit_change_bp loan_new_lenders_3m loan_court_case loan_guarantor_overdue loan_misuse "
        "loan_contact_lost"
    ),
    "practice.social_security": Columns(plain="county household months base_fen"),
    "practice.taxes": Columns(plain="county household year_fen"),
    "practice.villages": Columns(plain="county village name town town_name"),
    "post_loan.bureau_readings": Columns(
        plain="institution_id application_id read_at customer_id consent_id reference sha256 price_fen",
        figures="lenders",
    ),
    "post_loan.challenges": Columns(
        plain="id product_code version_id authors document_hash champion_hash share_bp why maker made_at status "
        "checker answer answered_at ended_by ended_why ended_at"
    ),
    "post_loan.collection_cases": Columns(
        plain="institution_id id application_id customer_id owner_id status segment promise_on disputed do_not_contact "
        "action channel assessment_id next_on opened_on closed_on challenge_id arm",
        sealed="said",
        figures="days_past_due balance",
    ),
    "post_loan.contact_notes": Columns(
        plain="institution_id id case_id segment promise_on disputed do_not_contact by_whom at", sealed="note"
    ),
    "post_loan.contacts": Columns(
        plain="institution_id id case_id customer_id channel held assessment_id by_whom notice_key at"
    ),
    "post_loan.drawdown_checks": Columns(
        plain="institution_id id application_id customer_id request_no status reason_codes assessment_id release_id "
        "valid_until loan_no asked_at answered_by answered_at",
        sealed="said found",
        index="payee",
        figures="amount",
    ),
    "post_loan.due_looks": Columns(plain="institution_id application_id looked_on"),
    "post_loan.looks": Columns(plain="institution_id application_id looked_on outcome gaps"),
    "post_loan.warnings": Columns(
        plain="institution_id id application_id customer_id owner_id action status codes assessment_id raised_on "
        "last_on due_on answered_by answered_at false_alarm observed",
        sealed="said done",
    ),
    "products.brands": Columns(plain="code name audience position"),
    "products.openings": Columns(plain="institution_id product_code opened_on closed_on"),
    "products.products": Columns(
        plain="institution_id code series_code parent_code name other_names created_at"
    ),
    "products.publications": Columns(
        plain="institution_id code effective_from seq version maker checker reason published_at"
    ),
    "products.series": Columns(
        plain="code brand_code name other_names target_customers data_source risk_mitigation position"
    ),
    "products.versions": Columns(plain="institution_id code version content maker made_at"),
    "queue.pgqueuer": Columns(
        plain="id priority queue_manager_id created updated heartbeat execute_after status entrypoint dedupe_key "
        "payload headers attempts slot"
    ),
    "queue.pgqueuer_log": Columns(plain="id created job_id status priority entrypoint traceback aggregated"),
    "queue.pgqueuer_schedules": Columns(
        plain="id expression entrypoint heartbeat created updated next_run last_run status"
    ),
    "queue.pgqueuer_statistics": Columns(plain="id created count priority status entrypoint"),
    "regulation.calendar_days": Columns(plain="day year kind title"),
    "regulation.calendar_years": Columns(plain="year source set_by set_at"),
    "regulation.parameters": Columns(
        plain="key effective_from effective_to unit value enabled title source row_id"
    ),
    "relations.edges": Columns(
        plain="institution_id customer_id kind role source application_id first_at last_at times", index="key"
    ),
    "relations.findings": Columns(
        plain="institution_id id code kind customer_id customers households since status raised_at owner owned_at "
        "answered_at",
        sealed="said",
        index="key",
    ),
    "relations.kinds": Columns(plain="kind label hub_above connects position"),
    "relations.list_entries": Columns(
        plain="institution_id id list kind source status made_by made_at checked_by checked_at expires_on ended_by "
        "ended_at end_asked_by end_asked_at forgotten_at",
        sealed="shown reason end_why",
        index="key",
    ),
    "relations.members": Columns(plain="institution_id customer_id component", index="household"),
    "relations.nodes": Columns(plain="institution_id kind customers allowed", index="key"),
    "relations.patterns": Columns(plain="code label severity least days position"),
    "relations.runs": Columns(plain="institution_id run_on customers aged differing findings run_at"),
    "relations.sightings": Columns(
        plain="institution_id seq application_id kind customer_id at", index="key"
    ),
    "reviews.exceedings": Columns(
        plain="institution_id id review_id status outcome reason maker proposed_at checker checked_at",
        sealed="exceeded why found",
        figures="amount annual_rate term_months",
    ),
    "reviews.inquiries": Columns(
        plain="institution_id id review_id officer_id asked_by asked_at answered_at", sealed="asked answer"
    ),
    "reviews.rechecks": Columns(
        plain="institution_id id application_id decision_id triggers status due_at opened_at found_by found_at done_by "
        "done_at",
        sealed="why done",
    ),
    "reviews.reviews": Columns(
        plain="institution_id id application_id kind ground asked_by status outcome reason answered_by "
        "new_application_id opened_at due_at answered_at",
        sealed="said",
        figures="amount annual_rate term_months",
    ),
    "strategies.approvals": Columns(
        plain="institution_id id version_id content_hash maker checker verdict reason check_run_id failures at"
    ),
    "strategies.check_runs": Columns(
        plain="institution_id id version_id content_hash failures report run_by run_at"
    ),
    "strategies.effects": Columns(
        plain="institution_id id version_id content_hash cases_total cases_done figures asked_by started_at "
        "finished_at"
    ),
    "strategies.moves": Columns(plain="institution_id version_id seq from_status to_status who why at"),
    "strategies.scenarios": Columns(
        plain="institution_id id product_code stage name made_by made_at stop_asked_by stop_why stop_asked_at "
        "retired_by retired_at",
        sealed="body",
    ),
    "strategies.versions": Columns(
        plain="institution_id id product_code stage number content content_hash document_hash base_id maker authors "
        "reason note made_at status submitted_at checker effective_from effective_until"
    ),
    "surveys.photos": Columns(
        plain="institution_id id survey_id sha256 taken_at archive_id archive_receipt", sealed="content"
    ),
    "surveys.surveys": Columns(
        plain="institution_id id application_id customer_id officer_id status consent_id visited_on begun_at saved_at "
        "submitted_at checked_by checked_at in_place",
        sealed="answers checker_said",
    ),
    "trials.batch_parts": Columns(
        plain="institution_id run_id number scores problems", sealed="body", figures="fell"
    ),
    "trials.batches": Columns(
        plain="institution_id id purpose status model model_id artefact cases_total cases_done scored parts cursor "
        "turn error asked_by asked_at ended_at"
    ),
    "trials.results": Columns(
        plain="institution_id run_id grouping_name member side",
        figures="cases approved referred declined amount_fen rate_amount loss_fen matured bad approved_mark "
        "referred_mark declined_mark",
    ),
    "trials.runs": Columns(
        plain="institution_id id kind stage status strategy against strategy_id model_id county county_name "
        "institutions plan cases_total cases_done cursor cancel_asked pairs pairs_differing worst_gap_bp error "
        "asked_by asked_at ended_at"
    ),
    "xd.lifecycle": Columns(plain="name from_status to_status"),
    "xd.migrations": Columns(plain="name sha256 applied_at"),
    "xd.quota": Columns(plain="key starts_at used"),
    "xd.reference": Columns(plain="family stamp"),
}
