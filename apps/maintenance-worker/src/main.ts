import { runService } from '@millrace/runtime';
import { ScalingPage } from './scaling/scaling-page.js';
import { startMaintenanceWorker } from './start-maintenance-worker.js';

await runService({
  name: 'maintenance-worker',
  requires: [],
  start: (parts) => startMaintenanceWorker(parts),
  pages: (parts) => {
    const page = new ScalingPage(parts.catalog.jobs, parts.environment);
    return { '/internal/scaling': () => page.show() };
  },
});
