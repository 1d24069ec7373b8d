export type { QueryServiceOptions } from './query-service-options.js';
export { startQueryService, type RunningService } from './query-service.js';
