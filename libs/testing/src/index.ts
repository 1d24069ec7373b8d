export { eventually } from './eventually.js';
export { freePort } from './free-port.js';
export { FaultyObjectStore, type HeldCall } from './faulty-object-store.js';
export { RawConnection } from './http/raw-connection.js';
export { BreakingProxy, type BreakingPoint } from './postgres/breaking-proxy.js';
export { openCatalog, type TestCatalog } from './postgres/open-catalog.js';
export { startPostgres, type TestDatabase } from './postgres/start-postgres.js';
export { withClient } from './postgres/with-client.js';
export { RedisCluster } from './redis/redis-cluster.js';
export { RedisSentinel } from './redis/redis-sentinel.js';
export { RedisServer } from './redis/redis-server.js';
export { SilencingProxy } from './redis/silencing-proxy.js';
export { runMigrations } from './services/run-migrations.js';
export { type AppName, APPS, type ServiceEnd, ServiceRun } from './services/service-run.js';
export { type CollectedSpan, TraceCollector } from './telemetry/trace-collector.js';
export { pinCount, registeredKeys, versionOfJob } from './tenants/catalog-look-ups.js';
export {
  admitJob,
  createDataset,
  createReadyDataset,
  createResult,
  createStoredResult,
  createUpload,
  newJob,
  type Owner,
  startJob,
  startQuery,
  writeBlob,
} from './tenants/catalog-rows.js';
export { createCaller, createTenant, type TestTenant } from './tenants/create-tenant.js';
export { S3Proxy, type FaultScope, type S3Fault, type S3OperationName } from './s3/s3-proxy.js';
export { s3Variables } from './s3/s3-variables.js';
export { startS3, type TestS3 } from './s3/start-s3.js';
