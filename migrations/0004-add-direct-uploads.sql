-- Uploads whose bytes go past the server, straight to the object store.
--
-- While the client sends, the upload is `uploading`: it has a size that was announced, and no hash yet. The row of its
-- blob is `writing` for as long. The key stands here and not in uploads.storage_key, which is a reference: bytes that are
-- being written have none, and a sweeper may strike their key from the register at any time after their lease.

ALTER TABLE uploads ALTER COLUMN content_hash DROP NOT NULL;
ALTER TABLE uploads DROP CONSTRAINT uploads_status_check;
ALTER TABLE uploads
  ADD CHECK (status IN ('uploading', 'pending', 'processing', 'consumed', 'expired')),
  ADD CHECK (content_hash IS NOT NULL OR status IN ('uploading', 'expired'));

DROP INDEX uploads_expiry;
CREATE INDEX uploads_expiry ON uploads (expires_at) WHERE status IN ('uploading', 'pending');

CREATE TABLE direct_uploads (
  tenant_id       entity_id NOT NULL,
  -- The upload.
  id              entity_id NOT NULL,
  storage_key     text COLLATE "C" NOT NULL,
  -- What the store calls it.
  store_upload_id text NOT NULL,
  part_size_bytes bigint NOT NULL CHECK (part_size_bytes > 0),
  -- What the client says the bytes are, if it does.
  expected_hash   sha256_hex,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, id) REFERENCES uploads ON DELETE CASCADE
);
