import { BlobEntity } from './blob.entity.js';
import { DatasetEntity, VersionEntity } from './dataset.entity.js';
import { JobEntity } from './job.entity.js';
import { QueryRunEntity } from './query-run.entity.js';
import { ResultEntity } from './result.entity.js';
import { SavedQueryEntity, SavedQueryVersionEntity } from './saved-query.entity.js';
import { ApiKeyEntity, TenantEntity, UserEntity } from './tenant.entity.js';
import { UploadEntity } from './upload.entity.js';

/** Every entity TypeORM has to know. Files of versions and pins are only ever read and written in plain SQL. */
export const ENTITIES = [
  TenantEntity,
  UserEntity,
  ApiKeyEntity,
  BlobEntity,
  UploadEntity,
  DatasetEntity,
  VersionEntity,
  QueryRunEntity,
  ResultEntity,
  JobEntity,
  SavedQueryEntity,
  SavedQueryVersionEntity,
] as const;
