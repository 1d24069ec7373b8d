export { EnginePool } from './pool/engine-pool.js';
export { createOwnFolder } from './pool/own-folder.js';
export type { ConvertResult } from './tasks/convert.task.js';
export type { QueryResult } from './tasks/query.task.js';
export type { ReadResult } from './tasks/read.task.js';
export type { TableInput } from './tasks/table-input.js';
export type { EngineTask } from './tasks/task.js';
export type { RowFormat } from './types/json-encoding.js';
