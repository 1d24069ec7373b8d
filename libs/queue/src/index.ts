export { BullMqServer, type BullMqServerOptions } from './bullmq-server.js';
export { BullMqEventBus, type BullMqEventBusOptions } from './event-bus.bullmq.js';
export {
  describeJob,
  isJobName,
  type JobCatalog,
  type JobDescription,
  type JobName,
  JOBS,
  type JobSpec,
  type PayloadOf,
  QUEUE_NAMES,
  type QueueName,
} from './job-catalog.js';
export { JobContext } from './job-context.js';
export { JobHandler, type JobMethod } from './job-handler.decorator.js';
export type { AdmittedJob, JobMessage } from './job-message.js';
export { JobProducer, type JobProducerOptions } from './job-producer.js';
export { migrateQueue } from './migrate-queue.js';
export { parseQueueLocation, type QueueSettings } from './parse-queue-location.js';
export type { QueueLocation } from './queue-location.js';
export type { QueueLog } from './queue-log.js';
