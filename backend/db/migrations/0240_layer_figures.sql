-- A county reads head office's rules, not the figures of other counties' customers behind them: the effect of a
-- union's version is counted over every county, and shows one of them by difference.
drop policy layer_reads on strategies.effects;
create policy layer_reads on strategies.effects for select using (
    xd.institution() is not null and (institution_id = xd.institution()
        or xd.institution() = '*' or (institution_id = '*' and xd.institution() = '0000')));

-- Nor what head office is only writing: a draft is the county's to read once it was submitted.
drop policy layer_reads on strategies.versions;
create policy layer_reads on strategies.versions for select using (
    xd.institution() is not null and (institution_id = xd.institution()
        or xd.institution() = '*'
        or (institution_id = '*' and (xd.institution() = '0000' or submitted_at is not null
            or status in ('approved', 'live', 'retired')))));
