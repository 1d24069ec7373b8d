-- Requests that came with an Idempotency-Key: what was asked for, what it brought about, and the answer to give again.
--
-- A row without an answer belongs to whoever took the key last, for as long as the lease lasts. The id of what was made is
-- written by the transaction that makes it, only while the claim is still the same: of two that hold a key one after
-- another, one makes something.

CREATE TABLE idempotency_keys (
  tenant_id      entity_id NOT NULL REFERENCES tenants,
  -- Of user, operation, path and key: a key of one user means nothing to another.
  key_hash       sha256_hex NOT NULL,
  claim_id       uuid NOT NULL,
  -- Of what was asked for; null until bytes that stream have arrived.
  fingerprint    sha256_hex,
  -- The dataset or upload that was made.
  effect_id      entity_id,
  lease_until    timestamptz NOT NULL,
  answer_status  smallint,
  answer_headers jsonb,
  answer_body    bytea,
  expires_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, key_hash),
  CHECK (num_nulls(answer_status, answer_headers, answer_body) IN (0, 3)),
  CHECK (answer_status IS NULL OR fingerprint IS NOT NULL)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
