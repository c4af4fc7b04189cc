-- The sealed columns of append-only tables may be rewritten by the application, for key rotation only: the
-- trigger refuses everything else.
grant update (content) on contracts.documents to xiaodai_app;
grant update (capsule) on decision.decisions to xiaodai_app;
grant update (facts, raw) on evidence.answers to xiaodai_app;
