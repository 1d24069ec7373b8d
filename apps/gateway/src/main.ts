import { requireSetting } from '@millrace/config';
import { runService, VERSION } from '@millrace/runtime';
import { startGateway } from './gateway.js';

await runService({
  name: 'gateway',
  requires: ['QUERY_SERVICE_URL', 'INTERNAL_SECRET'],
  worksWithoutQueue: true,
  start: (parts) =>
    startGateway({
      ...parts,
      version: VERSION,
      queryServiceUrl: requireSetting(parts.environment, 'QUERY_SERVICE_URL'),
      internalSecret: requireSetting(parts.environment, 'INTERNAL_SECRET'),
    }),
});
