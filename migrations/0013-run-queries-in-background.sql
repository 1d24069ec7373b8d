-- Statements that run in the background, each as a job.
--
-- The lease of its job keeps such a run alive, so it has none of its own: whoever sweeps runs whose lease is over passes it
-- by, and its end follows from that of the job.

ALTER TABLE query_runs
  ADD COLUMN job_id entity_id,
  -- 0 to 1, as the engine estimates it; null while it is not known. A run with a job has the progress of that.
  ADD COLUMN progress double precision CHECK (progress BETWEEN 0 AND 1),
  ADD FOREIGN KEY (tenant_id, job_id) REFERENCES jobs ON DELETE SET NULL (job_id);
CREATE UNIQUE INDEX query_runs_job ON query_runs (tenant_id, job_id) WHERE job_id IS NOT NULL;

ALTER TABLE query_runs DROP CONSTRAINT query_runs_check;
ALTER TABLE query_runs
  ADD CHECK (job_id IS NOT NULL OR (lease_until IS NOT NULL) = (status IN ('queued', 'running')));
