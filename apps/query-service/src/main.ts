import { requireSetting } from '@millrace/config';
import { engineFolder, runService } from '@millrace/runtime';
import { startQueryService } from './query-service.js';

await runService({
  name: 'query-service',
  requires: ['INTERNAL_SECRET'],
  worksWithoutQueue: true,
  start: (parts) =>
    startQueryService({
      ...parts,
      internalSecret: requireSetting(parts.environment, 'INTERNAL_SECRET'),
      engineFolder: engineFolder(parts.environment, 'query'),
      host: parts.environment.HOST,
      port: parts.environment.PORT,
    }),
});
