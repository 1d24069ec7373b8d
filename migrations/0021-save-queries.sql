-- Statements that people keep under a name, with parameters that have types.

CREATE TABLE saved_queries (
  tenant_id      entity_id NOT NULL,
  id             entity_id NOT NULL,
  -- Who made it.
  user_id        entity_id NOT NULL,
  name           text NOT NULL,
  description    text NOT NULL DEFAULT '',
  -- The number of the newest version.
  latest_version integer NOT NULL DEFAULT 1 CHECK (latest_version >= 1),
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users
);
CREATE UNIQUE INDEX saved_queries_name ON saved_queries (tenant_id, lower(name));

-- A version never changes.
CREATE TABLE saved_query_versions (
  tenant_id      entity_id NOT NULL,
  saved_query_id entity_id NOT NULL,
  number         integer NOT NULL CHECK (number >= 1),
  user_id        entity_id NOT NULL,
  sql            text NOT NULL,
  -- [{name, type, default?, description?}]
  parameters     jsonb NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, saved_query_id, number),
  FOREIGN KEY (tenant_id, saved_query_id) REFERENCES saved_queries ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users
);
