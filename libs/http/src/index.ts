export { HEALTH_CHECKS, type HealthChecks, HealthController } from './health.controller.js';
export { closeHttpServer, createHttpServer } from './http-server.js';
export { IdParam } from './id-param.js';
export { makePublic, Operation } from './operation.decorator.js';
export { decodeIdCursor, decodeOffsetCursor, encodeCursor, nextPageLink, type PageFields, pageFields } from './page.js';
export { Prefer, type Preference } from './prefer.js';
export { checkRequestTarget } from './request-target.js';
export { withTimeLimits } from './time-limits.js';
