-- An effect that need not go out any more, because a later one says more: it was not delivered, and does not say so.
insert into xd.lifecycle values ('effect', 'waiting', 'overtaken');
