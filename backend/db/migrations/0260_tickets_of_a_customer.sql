-- Complaints are asked for by customer: before an invitation, and by the trials of collection strategies.
create index on channels.tickets (institution_id, customer_id);
