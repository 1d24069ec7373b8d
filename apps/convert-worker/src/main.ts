import { engineFolder, runService } from '@millrace/runtime';
import { startConvertWorker } from './start-convert-worker.js';

await runService({
  name: 'convert-worker',
  requires: [],
  start: (parts) => startConvertWorker({ ...parts, engineFolder: engineFolder(parts.environment, 'convert') }),
});
