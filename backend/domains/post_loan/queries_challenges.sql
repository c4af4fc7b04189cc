-- name: propose(id, product_code, version_id, authors, document_hash, share_bp, why, who, now)$
-- Null where one of that product is open already.
insert into post_loan.challenges (id, product_code, version_id, authors, document_hash, share_bp, why, maker, made_at)
values (:id, :product_code, :version_id, :authors, :document_hash, :share_bp, :why, :who, :now)
on conflict do nothing
returning id;

-- name: agree(id, champion_hash, who, answer, now)!
-- The second person's yes.
update post_loan.challenges
set status = 'running', champion_hash = :champion_hash, checker = :who, answer = :answer, answered_at = :now
where id = :id and status = 'proposed';

-- name: refuse(id, who, answer, now)!
-- The second person's no.
update post_loan.challenges set status = 'refused', checker = :who, answer = :answer, answered_at = :now
where id = :id and status = 'proposed';

-- name: finish(id, who, why, now)!
-- From the commit on every case follows what is live.
update post_loan.challenges set status = 'ended', ended_by = :who, ended_why = :why, ended_at = :now
where id = :id and status = 'running';

-- name: get(id)^
-- One.
select * from post_loan.challenges where id = :id;

-- name: running()
-- What is tried now.
select * from post_loan.challenges where status = 'running';

-- name: all_challenges(most)
-- The newest first.
select * from post_loan.challenges order by made_at desc, id desc limit :most;
