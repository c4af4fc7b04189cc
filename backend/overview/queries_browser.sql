-- name: behind_cookie(institution_id, token_hash, now)^
-- Session and application of a browser, asked outside a transaction: the function sets the scope itself.
select b.browser_id, b.browser_openid, b.browser_customer_id, b.browser_application_id, b.browser_expires_at,
       (b.application).*
from xd.behind_cookie(:institution_id, :token_hash, :now) b;
