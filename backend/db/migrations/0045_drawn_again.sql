-- A line that is paid back stands until its last day: a later drawdown brings the case back into use (A3-13).
insert into xd.lifecycle (name, from_status, to_status) values
    ('application', 'repaid', 'drawn'),
    ('contract', 'completed', 'signed');
