export {
  startMaintenanceWorker,
  type MaintenanceWorker,
  type MaintenanceWorkerOptions,
} from './start-maintenance-worker.js';
