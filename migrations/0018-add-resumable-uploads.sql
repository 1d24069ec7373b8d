-- Uploads that come in pieces, over as many connections as it takes (tus).
--
-- While it is sent, such an upload is `uploading`, with the size that was announced. Each piece is a blob with a reference
-- of its own, so that it stays as long as the upload does, without a lease to be extended for each of thousands.

CREATE TABLE resumable_uploads (
  tenant_id     entity_id NOT NULL,
  -- The upload.
  id            entity_id NOT NULL,
  -- `Upload-Metadata` as it came: whoever asks gets it back.
  metadata      text NOT NULL,
  -- What the client says the bytes are, if it does.
  expected_hash sha256_hex,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, id) REFERENCES uploads ON DELETE CASCADE
);

-- No key to the upload: a piece outlives it until a sweeper has given its reference back.
CREATE TABLE upload_pieces (
  tenant_id    entity_id NOT NULL,
  id           entity_id NOT NULL,
  -- Where it begins in the file.
  start_byte   bigint NOT NULL CHECK (start_byte >= 0),
  size_bytes   bigint NOT NULL CHECK (size_bytes > 0),
  storage_key  text COLLATE "C" NOT NULL,
  content_hash sha256_hex NOT NULL,
  -- Whether the tenant had its bytes already.
  deduplicated boolean NOT NULL,
  PRIMARY KEY (tenant_id, id, start_byte),
  FOREIGN KEY (tenant_id, storage_key) REFERENCES blobs
);
CREATE INDEX upload_pieces_blob ON upload_pieces (tenant_id, storage_key);
