-- 大字版 is kept by the browser (a cookie): the column was never written.
alter table identity.customer_sessions drop column large_type;
