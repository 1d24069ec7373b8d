import { constants } from './scale/constants.mjs';
import { conversions } from './scale/conversions.mjs';
import { queues } from './scale/queues.mjs';
import { statements } from './scale/statements.mjs';
import { stores } from './scale/stores.mjs';

/** @type {import('./index.mjs').Measurement} */
export const scale = {
  name: 'scale',
  about: 'services as processes with Redis and S3: 1, 2 and 4 of them, and what one job costs',
  hasOwnServer: true,
  async *measure(bench) {
    const fleet = await bench.newFleet({ queue: 'redis', store: 's3' });
    await fleet.scale({ 'maintenance-worker': 1, gateway: 1, 'convert-worker': 1, 'query-service': 1 });
    yield* conversions(bench, fleet);
    yield* statements(bench, fleet);
    yield* stores(bench, fleet);
    await fleet.stop();
    yield* constants(bench);
    yield* queues(bench);
  },
};
