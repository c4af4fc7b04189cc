-- The session behind a browser's cookie, and the application it works on: asked at the head of nearly every request of
-- a customer's. With its scope in the function, one round trip asks it in place of a transaction's four. It runs with
-- the rights of who asks, and row-level security shows it the one institution.
create function xd.behind_cookie(county text, token bytea, moment timestamptz)
    returns table (browser_id uuid, browser_openid text, browser_customer_id uuid, browser_application_id uuid,
                   browser_expires_at timestamptz, application applications.applications)
    language plpgsql volatile as $$
begin
    perform set_config('app.institution', county, true);
    return query
        select s.id, s.openid, s.customer_id, s.application_id, s.expires_at, a
        from identity.customer_sessions s
        left join applications.applications a on a.institution_id = county and a.id = s.application_id
        where s.institution_id = county and s.token_hash = token and s.expires_at > moment;
end $$;
