-- The SQL types that the named parameters of a query in the background are cast to: those of a saved query. Null for none.
ALTER TABLE query_runs ADD COLUMN param_types jsonb;
