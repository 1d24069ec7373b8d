import type { Operation } from './operation.js';
import { datasetOperations } from './operations/datasets.js';
import { directUploadOperations } from './operations/direct-uploads.js';
import { downloadOperations } from './operations/downloads.js';
import { fileOperations } from './operations/files.js';
import { jobOperations } from './operations/jobs.js';
import { queryOperations } from './operations/queries.js';
import { resultOperations } from './operations/results.js';
import { savedQueryOperations } from './operations/saved-queries.js';
import { serviceOperations } from './operations/service.js';
import { tusOperations } from './operations/tus.js';

/** Every operation of the HTTP contract by its name, `noun.verb`. */
export const OPERATIONS = {
  ...fileOperations,
  ...directUploadOperations,
  ...tusOperations,
  ...datasetOperations,
  ...queryOperations,
  ...savedQueryOperations,
  ...resultOperations,
  ...downloadOperations,
  ...jobOperations,
  ...serviceOperations,
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
