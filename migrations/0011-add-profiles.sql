-- What the values of a version are like, made at its conversion; null for older versions and where it could not be made.
-- Not in `statistics`, which every list of datasets reads. And json, not jsonb: a value may have a NUL character, and the
-- numbers stay as they are written.
ALTER TABLE dataset_versions ADD COLUMN profile json;
