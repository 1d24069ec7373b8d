-- Results can be kept for longer than usual: until another time, or (expires_at is null) until somebody says otherwise.
ALTER TABLE results
  ALTER COLUMN expires_at DROP NOT NULL,
  -- Until when it is kept without a pin: where a pin that is taken away leads back to.
  ADD COLUMN retained_until timestamptz;
UPDATE results SET retained_until = expires_at;
ALTER TABLE results ALTER COLUMN retained_until SET NOT NULL;
