-- The durations of the last conversions say how many workers the waiting ones need.
CREATE INDEX jobs_converted ON jobs (ended_at) WHERE kind = 'dataset.convert' AND status = 'succeeded';
