-- What a version was converted from: a hash of the bytes, of how they were to be read, and of the converter. The same again
-- is the same table, without a conversion. Null where a conversion leaves more than a table, and for those of a service that
-- does not know the column yet.
ALTER TABLE dataset_versions ADD COLUMN conversion_key sha256_hex;
CREATE INDEX dataset_versions_conversion ON dataset_versions (tenant_id, conversion_key, id)
  WHERE conversion_key IS NOT NULL AND status = 'ready';
