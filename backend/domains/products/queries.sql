-- name: tree()
-- The whole catalogue for the product factory and the compliance check of A9-08.
-- scope: all institutions, because products are the union's reference data; openings are counted under RLS.
select b.code as brand_code, b.name as brand_name, b.audience,
       s.code as series_code, s.name as series_name, s.other_names as series_other_names,
       s.target_customers, s.data_source, s.risk_mitigation,
       p.institution_id, p.code, p.name, p.other_names, p.parent_code
from products.brands b
join products.series s on s.brand_code = b.code
left join products.products p on p.series_code = s.code
order by b.position, s.position, p.parent_code nulls first, p.code;

-- name: live(institution_id, code, on_day)
-- What an institution offers on a day: its own sub-products and the union's products it has opened,
-- each with its parent's content. A null code asks for all.
with current_versions as (
    select distinct on (institution_id, code) institution_id, code, version, effective_from
    from products.publications
    where effective_from <= :on_day and institution_id in ('*', :institution_id)
    order by institution_id, code, effective_from desc, seq desc
)
select p.institution_id, p.code, p.name, c.version, c.effective_from, v.content::text as content,
       p.parent_code, parent.name as parent_name, cp.version as parent_version, vp.content::text as parent_content,
       s.code as series_code, s.name as series_name, b.name as brand_name
from products.products p
join current_versions c on c.institution_id = p.institution_id and c.code = p.code and c.version is not null
join products.versions v
    on v.institution_id = c.institution_id and v.code = c.code and v.version = c.version
join products.series s on s.code = p.series_code
join products.brands b on b.code = s.brand_code
left join products.products parent on parent.institution_id = '*' and parent.code = p.parent_code
left join current_versions cp on cp.institution_id = '*' and cp.code = p.parent_code
left join products.versions vp
    on vp.institution_id = '*' and vp.code = cp.code and vp.version = cp.version
where (cast(:code as text) is null or p.code = :code)
  and p.institution_id in ('*', :institution_id)
  and (p.parent_code is null or cp.version is not null)
  and exists (
      select from products.openings o
      where o.institution_id = :institution_id and o.product_code = coalesce(p.parent_code, p.code)
        and o.opened_on <= :on_day and (o.closed_on is null or :on_day < o.closed_on))
order by s.position, b.position, p.parent_code nulls first, p.code;

-- name: version(institution_id, code, version)^
-- One version with its place in the tree, whether or not it is on offer.
select p.institution_id, p.code, p.name, p.parent_code, v.version, v.content::text as content, v.maker
from products.versions v
join products.products p on p.institution_id = v.institution_id and p.code = v.code
where v.institution_id = :institution_id and v.code = :code and v.version = :version;

-- name: live_content(institution_id, code, on_day)^
-- The parent's content against which a sub-product is checked.
select v.version, v.content::text as content
from (
    select version from products.publications
    where institution_id = :institution_id and code = :code and effective_from <= :on_day
    order by effective_from desc, seq desc limit 1
) c
join products.versions v on v.version = c.version
where v.institution_id = :institution_id and v.code = :code;

-- name: name_of(institution_id, code)$
-- Also of a product that is no longer on offer.
select name from products.products where institution_id in ('*', :institution_id) and code = :code;

-- name: add_product(institution_id, code, series_code, parent_code, name, other_names, created_at)!
-- A new node of the tree; nothing is on offer yet.
insert into products.products (institution_id, code, series_code, parent_code, name, other_names, created_at)
values (:institution_id, :code, :series_code, :parent_code, :name, :other_names, :created_at)
on conflict do nothing;

-- name: add_version(institution_id, code, content, maker, made_at)$
-- The next version of a product; two makers at once are ordered by the primary key.
insert into products.versions (institution_id, code, version, content, maker, made_at)
select :institution_id, :code,
       coalesce((select max(version) from products.versions
                 where institution_id = :institution_id and code = :code), 0) + 1,
       :content, :maker, :made_at
returning version;

-- name: publish(institution_id, code, effective_from, version, maker, checker, reason, published_at)!
-- What is on offer from a day on; a later row for the same day wins. A null version withdraws the product.
insert into products.publications
    (institution_id, code, effective_from, seq, version, maker, checker, reason, published_at)
select :institution_id, :code, :effective_from,
       coalesce((select max(seq) from products.publications
                 where institution_id = :institution_id and code = :code
                   and effective_from = :effective_from), 0) + 1,
       :version, :maker, :checker, :reason, :published_at;

-- name: open_product(institution_id, product_code, opened_on)!
-- An institution begins to offer one of the union's products.
insert into products.openings (institution_id, product_code, opened_on)
values (:institution_id, :product_code, :opened_on)
on conflict do nothing;

-- name: add_brand(code, name, audience, position)!
-- A brand of the catalogue; written by the seed only (owner's connection).
insert into products.brands (code, name, audience, position)
values (:code, :name, :audience, :position) on conflict do nothing;

-- name: add_series(code, brand_code, name, other_names, target_customers, data_source, risk_mitigation, position)!
-- A series with its three axes (A8-23); written by the seed only (owner's connection).
insert into products.series
    (code, brand_code, name, other_names, target_customers, data_source, risk_mitigation, position)
values (:code, :brand_code, :name, :other_names, :target_customers, :data_source, :risk_mitigation, :position)
on conflict do nothing;
