-- Asked for by every case that is handed in: its village is one of them.
select xd.keep_reference('institutions.areas', 'institutions');
