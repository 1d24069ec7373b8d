import { describeJobLedger } from '@millrace/testing/job-ledger-conformance';
import { MemoryJobLedger } from './memory-job-ledger.js';

describeJobLedger('MemoryJobLedger', async () => {
  const ledger = new MemoryJobLedger();
  return {
    ledger,
    admit: async ({ attemptsMax }) => ledger.admit({ kind: 'dataset.convert', payload: {}, attemptsMax }),
    readmit: async (fence) => ledger.readmit(fence),
    requestCancel: async (fence) => {
      ledger.requestCancel(fence);
    },
  };
});
