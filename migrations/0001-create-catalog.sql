-- The catalog: who there is, which bytes there are, which tables they form, and the work still to be done.
--
-- Every table has tenant_id, and it comes first in every key, so that a foreign key can never lead from one tenant's
-- row to another's. The few indexes without it serve the sweepers, which look at all tenants at once.

CREATE DOMAIN entity_id AS text COLLATE "C" CHECK (VALUE ~ '^[a-z]{4}[0-7][0-9a-hjkmnp-tv-z]{25}$');
CREATE DOMAIN sha256_hex AS text COLLATE "C" CHECK (VALUE ~ '^[0-9a-f]{64}$');

CREATE TABLE tenants (
  tenant_id  entity_id PRIMARY KEY,
  name       text NOT NULL,
  -- Overrides of the default limits, by name; what is not here is the default.
  limits     jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
  tenant_id  entity_id NOT NULL REFERENCES tenants,
  id         entity_id NOT NULL,
  name       text NOT NULL,
  role       text NOT NULL CHECK (role IN ('admin', 'member')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE api_keys (
  tenant_id  entity_id NOT NULL,
  id         entity_id NOT NULL,
  user_id    entity_id NOT NULL,
  -- SHA-256 of the whole key. Unique over all tenants: the key is what tells the tenant.
  key_hash   bytea NOT NULL CONSTRAINT api_keys_key_hash UNIQUE CHECK (length(key_hash) = 32),
  scopes     text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users
);

-- Every key in the object store. A row is there before the first byte of its object and until after the last.
CREATE TABLE blobs (
  tenant_id       entity_id NOT NULL REFERENCES tenants,
  storage_key     text COLLATE "C" NOT NULL CHECK (starts_with(storage_key, 't/' || tenant_id || '/')),
  status          text NOT NULL CHECK (status IN ('writing', 'live', 'unreferenced', 'deleting')),
  content_hash    sha256_hex,
  size_bytes      bigint CHECK (size_bytes >= 0),
  reference_count integer NOT NULL DEFAULT 0,
  -- writing: end of the lease; unreferenced: end of the grace period; deleting: the next try.
  due_at          timestamptz,
  -- Failed tries to delete the object.
  attempts        integer NOT NULL DEFAULT 0,
  error           text,
  -- When a reader found no object under the key: content is never taken to be there because of such a row.
  lost_at         timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, storage_key),
  CHECK ((status = 'live') = (reference_count > 0)),
  CHECK ((status = 'live') = (due_at IS NULL)),
  CHECK (status NOT IN ('live', 'unreferenced') OR (content_hash IS NOT NULL AND size_bytes IS NOT NULL))
);
CREATE UNIQUE INDEX blobs_content ON blobs (tenant_id, content_hash)
  WHERE status IN ('live', 'unreferenced') AND lost_at IS NULL;
CREATE INDEX blobs_due ON blobs (due_at) WHERE due_at IS NOT NULL;

-- What a running query reads. A blob is not deleted while one of its pins is alive.
CREATE TABLE blob_pins (
  tenant_id   entity_id NOT NULL,
  storage_key text COLLATE "C" NOT NULL,
  holder      text NOT NULL,
  lease_until timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, storage_key, holder),
  FOREIGN KEY (tenant_id, storage_key) REFERENCES blobs ON DELETE CASCADE
);
CREATE INDEX blob_pins_holder ON blob_pins (tenant_id, holder);

-- The outbox and the ledger of background work.
CREATE TABLE jobs (
  tenant_id           entity_id NOT NULL REFERENCES tenants,
  id                  entity_id NOT NULL,
  -- Who caused it; null for work of the house.
  user_id             entity_id,
  kind                text NOT NULL,
  status              text NOT NULL DEFAULT 'queued'
                      CHECK (status IN ('queued', 'admitted', 'running', 'succeeded', 'failed', 'cancelled')),
  payload             jsonb NOT NULL,
  -- Number of admissions; the current one is the fence of whoever works on the job.
  attempt             integer NOT NULL DEFAULT 0,
  -- Attempts that ended by a passing fault or a lost worker.
  failures            integer NOT NULL DEFAULT 0,
  attempts_max        integer NOT NULL CHECK (attempts_max >= 1),
  run_after           timestamptz NOT NULL DEFAULT now(),
  lease_until         timestamptz,
  -- 0 to 1; null while it is not known.
  progress            double precision CHECK (progress BETWEEN 0 AND 1),
  error               jsonb,
  cancel_requested_at timestamptz,
  created_at          timestamptz NOT NULL DEFAULT now(),
  started_at          timestamptz,
  ended_at            timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users,
  CHECK ((lease_until IS NOT NULL) = (status IN ('admitted', 'running'))),
  CHECK ((ended_at IS NOT NULL) = (status IN ('succeeded', 'failed', 'cancelled')))
);
CREATE INDEX jobs_queued ON jobs (tenant_id, kind, run_after, id) WHERE status = 'queued';
CREATE INDEX jobs_in_flight ON jobs (tenant_id, kind) WHERE status IN ('admitted', 'running');
CREATE INDEX jobs_lease ON jobs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE uploads (
  tenant_id        entity_id NOT NULL,
  id               entity_id NOT NULL,
  user_id          entity_id NOT NULL,
  status           text NOT NULL CHECK (status IN ('pending', 'processing', 'consumed', 'expired')),
  -- The reference to the raw bytes; given back when the upload is consumed or expires.
  storage_key      text COLLATE "C",
  content_hash     sha256_hex NOT NULL,
  size_bytes       bigint NOT NULL,
  content_type     text,
  content_encoding text,
  file_name        text,
  deduplicated     boolean NOT NULL,
  -- Why the last conversion failed.
  error            jsonb,
  created_at       timestamptz NOT NULL DEFAULT now(),
  expires_at       timestamptz NOT NULL,
  consumed_at      timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users,
  FOREIGN KEY (tenant_id, storage_key) REFERENCES blobs,
  CHECK ((storage_key IS NOT NULL) = (status IN ('pending', 'processing'))),
  CHECK ((consumed_at IS NOT NULL) = (status = 'consumed'))
);
CREATE INDEX uploads_user ON uploads (tenant_id, user_id, id);
CREATE INDEX uploads_storage_key ON uploads (tenant_id, storage_key) WHERE storage_key IS NOT NULL;
CREATE INDEX uploads_expiry ON uploads (expires_at) WHERE status = 'pending';

CREATE TABLE datasets (
  tenant_id         entity_id NOT NULL,
  id                entity_id NOT NULL,
  -- Who made it.
  user_id           entity_id NOT NULL,
  label             text NOT NULL,
  schema_name       text NOT NULL DEFAULT 'main',
  table_name        text NOT NULL,
  -- False once the dataset is deleted or its first version has failed: then the name is free again.
  holds_name        boolean NOT NULL DEFAULT true,
  -- The version that queries read; null until one is ready.
  head_version_id   entity_id,
  -- The newest version, whose status is the dataset's.
  latest_version_id entity_id NOT NULL,
  source_type       text NOT NULL CHECK (source_type IN ('upload', 'inline', 'result')),
  source_config     jsonb NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now(),
  updated_at        timestamptz NOT NULL DEFAULT now(),
  deleted_at        timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users,
  CHECK (deleted_at IS NULL OR NOT holds_name)
);
CREATE UNIQUE INDEX datasets_table_name ON datasets (tenant_id, schema_name, lower(table_name)) WHERE holds_name;
CREATE INDEX datasets_deleted ON datasets (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE dataset_versions (
  tenant_id       entity_id NOT NULL,
  id              entity_id NOT NULL,
  dataset_id      entity_id NOT NULL,
  user_id         entity_id NOT NULL,
  -- 1, 2, … per dataset, given in the transaction that makes the version ready.
  number          integer CHECK (number >= 1),
  parent_id       entity_id,
  operation       text NOT NULL DEFAULT 'replace' CHECK (operation IN ('replace', 'append', 'merge', 'revert')),
  status          text NOT NULL CHECK (status IN ('processing', 'ready', 'failed')),
  upload_id       entity_id,
  -- The reference to inline bytes; given back when the conversion ends.
  raw_storage_key text COLLATE "C",
  source_config   jsonb NOT NULL,
  job_id          entity_id,
  columns         jsonb,
  row_count       bigint,
  size_bytes      bigint,
  statistics      jsonb,
  error           jsonb,
  created_at      timestamptz NOT NULL DEFAULT now(),
  ended_at        timestamptz,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT dataset_versions_number UNIQUE (tenant_id, dataset_id, number),
  FOREIGN KEY (tenant_id, dataset_id) REFERENCES datasets ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users,
  FOREIGN KEY (tenant_id, parent_id) REFERENCES dataset_versions,
  FOREIGN KEY (tenant_id, upload_id) REFERENCES uploads ON DELETE SET NULL (upload_id),
  FOREIGN KEY (tenant_id, raw_storage_key) REFERENCES blobs,
  FOREIGN KEY (tenant_id, job_id) REFERENCES jobs ON DELETE SET NULL (job_id),
  CHECK ((number IS NOT NULL) = (status = 'ready')),
  CHECK (status <> 'ready' OR (columns IS NOT NULL AND row_count IS NOT NULL AND size_bytes IS NOT NULL)),
  CHECK ((ended_at IS NULL) = (status = 'processing')),
  CHECK (raw_storage_key IS NULL OR status = 'processing')
);
CREATE UNIQUE INDEX dataset_versions_job ON dataset_versions (tenant_id, job_id);
CREATE INDEX dataset_versions_upload ON dataset_versions (tenant_id, upload_id);
CREATE INDEX dataset_versions_failed ON dataset_versions (ended_at) WHERE status = 'failed';

-- A dataset and its first version are inserted together and name each other: checked at the end of the transaction.
ALTER TABLE datasets
  ADD FOREIGN KEY (tenant_id, latest_version_id) REFERENCES dataset_versions DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (tenant_id, head_version_id) REFERENCES dataset_versions DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE version_files (
  tenant_id      entity_id NOT NULL,
  version_id     entity_id NOT NULL,
  position       integer NOT NULL,
  component_type text NOT NULL DEFAULT 'data' CHECK (component_type IN ('data', 'metadata', 'schema')),
  storage_key    text COLLATE "C" NOT NULL,
  row_count      bigint NOT NULL,
  PRIMARY KEY (tenant_id, version_id, position),
  FOREIGN KEY (tenant_id, version_id) REFERENCES dataset_versions ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, storage_key) REFERENCES blobs
);
CREATE INDEX version_files_storage_key ON version_files (tenant_id, storage_key);

CREATE TABLE query_runs (
  tenant_id           entity_id NOT NULL,
  id                  entity_id NOT NULL,
  user_id             entity_id NOT NULL,
  status              text NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  sql                 text NOT NULL,
  params              jsonb,
  timeout_ms          integer NOT NULL,
  -- What it read: [{datasetId, versionId} or {resultId}], known once it runs.
  inputs              jsonb,
  result_id           entity_id,
  row_count           bigint,
  size_bytes          bigint,
  error               jsonb,
  cancel_requested_at timestamptz,
  lease_until         timestamptz,
  created_at          timestamptz NOT NULL DEFAULT now(),
  started_at          timestamptz,
  ended_at            timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users,
  CHECK ((lease_until IS NOT NULL) = (status IN ('queued', 'running'))),
  CHECK ((ended_at IS NULL) = (status IN ('queued', 'running')))
);
CREATE INDEX query_runs_user ON query_runs (tenant_id, user_id, id);
CREATE INDEX query_runs_active ON query_runs (tenant_id) WHERE status IN ('queued', 'running');
CREATE INDEX query_runs_lease ON query_runs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX query_runs_ended ON query_runs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE results (
  tenant_id    entity_id NOT NULL,
  id           entity_id NOT NULL,
  user_id      entity_id NOT NULL,
  query_run_id entity_id NOT NULL,
  status       text NOT NULL CHECK (status IN ('processing', 'ready', 'failed', 'expired')),
  columns      jsonb NOT NULL,
  row_count    bigint NOT NULL,
  -- The reference to the file; null until it is stored and after it was given back.
  storage_key  text COLLATE "C",
  content_hash sha256_hex,
  size_bytes   bigint,
  statistics   jsonb,
  job_id       entity_id,
  error        jsonb,
  lease_until  timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  ready_at     timestamptz,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users,
  FOREIGN KEY (tenant_id, query_run_id) REFERENCES query_runs,
  FOREIGN KEY (tenant_id, storage_key) REFERENCES blobs,
  FOREIGN KEY (tenant_id, job_id) REFERENCES jobs ON DELETE SET NULL (job_id),
  CHECK ((lease_until IS NOT NULL) = (status = 'processing')),
  CHECK (status <> 'ready' OR storage_key IS NOT NULL),
  CHECK (status NOT IN ('failed', 'expired') OR storage_key IS NULL)
);
CREATE INDEX results_user ON results (tenant_id, user_id, id);
CREATE INDEX results_query_run ON results (tenant_id, query_run_id);
CREATE UNIQUE INDEX results_job ON results (tenant_id, job_id);
CREATE INDEX results_storage_key ON results (tenant_id, storage_key) WHERE storage_key IS NOT NULL;
CREATE INDEX results_lease ON results (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX results_expiry ON results (expires_at) WHERE status = 'ready';

ALTER TABLE query_runs ADD FOREIGN KEY (tenant_id, result_id) REFERENCES results;
