export { type ClientRequest, MillraceClient, PendingError, ProblemError } from './client.js';
export { openApiDocument } from './openapi.js';
export { type HttpMethod, type Operation, takesKey } from './operation.js';
export { type OperationName, OPERATIONS } from './operations.js';
export { readingKey } from './reading-key.js';
export {
  errorRecordSchema,
  PAGE_LIMIT_DEFAULT,
  PAGE_LIMIT_MAX,
  pageQuerySchema,
  type Problem,
  problemSchema,
} from './schemas/common.js';
export {
  type CreateDatasetBody,
  createDatasetSchema,
  type DatasetBody,
  datasetListSchema,
  fileFormatSchema,
  listDatasetsQuerySchema,
  previewQuerySchema,
  previewSchema,
  type SourceConfig,
  sourceConfigSchema,
  type UpdateDatasetBody,
  updateDatasetSchema,
  uploadSourceSchema,
} from './schemas/datasets.js';
export {
  completeUploadSchema,
  PART_URLS_MAX,
  PARTS_MAX,
  type PresignedUploadBody,
  presignUploadSchema,
  type SignedPartsBody,
  signPartsSchema,
} from './schemas/direct-uploads.js';
export {
  type AnswerFormat,
  answerFormatSchema,
  downloadQuerySchema,
  ROW_FORMATS,
  type RowFormat,
  TABLE_FORMATS,
  type TableAnswerFormat,
  type TableFormat,
} from './schemas/formats.js';
export {
  type AnalyzeFileBody,
  analyzeFileSchema,
  type FileAnalysisBody,
  fileAnalysisSchema,
  listUploadsQuerySchema,
  SAMPLE_ROWS_MAX,
  type UploadBody,
  uploadListSchema,
} from './schemas/files.js';
export { type JobBody, jobKindSchema, jobListSchema, listJobsQuerySchema } from './schemas/jobs.js';
export {
  type DryRunBody,
  dryRunSchema,
  listQueriesQuerySchema,
  listResultsQuerySchema,
  type PendingQueryBody,
  pendingQuerySchema,
  type PinResultBody,
  pinResultSchema,
  type QueryAnswer,
  queryAnswerSchema,
  type QueryRunBody,
  queryRunListSchema,
  resultListSchema,
  resultPageSchema,
  resultQuerySchema,
  type ResultSummaryBody,
  type RunQueryBody,
  runQueryQuerySchema,
  runQuerySchema,
} from './schemas/queries.js';
export { type ProfileBody, profileSchema, tableProfileSchema } from './schemas/profiles.js';
export { type ConfigBody, configSchema, type ReadinessBody, readinessSchema } from './schemas/service.js';
export {
  type CreateSavedQueryBody,
  createSavedQuerySchema,
  listSavedQueriesQuerySchema,
  type RunSavedQueryBody,
  runSavedQuerySchema,
  type SavedQueryBody,
  savedQueryListSchema,
  type SavedQueryVersionBody,
  savedQueryVersionListSchema,
  savedQueryVersionQuerySchema,
  type UpdateSavedQueryBody,
  updateSavedQuerySchema,
} from './schemas/saved-queries.js';
