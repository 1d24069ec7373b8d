-- What a result is the answer to: a hash of the statement, its parameters and the exact versions that it read. Null for
-- statements whose answer changes, and for those of a service that does not know the column yet.
ALTER TABLE results ADD COLUMN reuse_key sha256_hex;
CREATE INDEX results_reuse ON results (tenant_id, reuse_key, id) WHERE reuse_key IS NOT NULL AND status = 'ready';
