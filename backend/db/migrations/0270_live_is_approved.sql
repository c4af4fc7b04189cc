-- Only what two people let through decides: a row of decision.live stands for the live version of exactly that
-- strategy, with its document and its price band. strategies.keep lets no version be live without a second person's
-- approval, so nobody points a strategy at a document of their own, nor takes one away that is still live.
create function strategies.keep_live() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.institution_id, new.product_code, new.stage)
       is distinct from (old.institution_id, old.product_code, old.stage) then
        raise exception 'what decides keeps its place' using errcode = 'check_violation';
    end if;
    if tg_op = 'DELETE' then
        if (old.institution_id, old.product_code) = ('*', '*') or exists (
            select from strategies.versions v
            where v.institution_id = old.institution_id and v.product_code = old.product_code
                and v.stage = old.stage and v.status = 'live'
        ) then
            raise exception 'a live version decides' using errcode = 'check_violation';
        end if;
        return old;
    end if;
    if not exists (
        select from strategies.versions v
        join strategies.approvals a on a.institution_id = v.institution_id and a.version_id = v.id
            and a.content_hash = v.content_hash and a.checker = v.checker and a.verdict = 'approved'
        where v.institution_id = new.institution_id and v.product_code = new.product_code and v.stage = new.stage
            and v.status = 'live' and v.document_hash = new.hash
            and nullif(v.content::jsonb #> '{openings,price_band}', 'null') is not distinct from to_jsonb(new.price_band)
    ) then
        raise exception 'no live version with this document' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger keep_live before insert or update or delete on decision.live
    for each row execute function strategies.keep_live();
