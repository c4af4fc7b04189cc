-- The official account's own QR (带参数的二维码) of a responsible code: who scans it follows the account, and the scene
-- comes with the event (A11-03). One living ticket per code; a temporary one is renewed before it ends.
create table channels.scene_codes (
    institution_id text not null,
    code_id text not null,
    ticket text not null,
    url text not null,                   -- what the QR says
    expires_at timestamptz,              -- null: permanent, of which an account has 100,000
    made_at timestamptz not null,
    primary key (institution_id, code_id)
);
select xd.protect('channels.scene_codes');
