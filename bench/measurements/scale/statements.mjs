import { StatementLoad } from '../../harness/fleet/statement-load.mjs';
import { inSteps } from './steps.mjs';

const DURATION_MS = 4_000;
const DURATION_QUICK_MS = 500;
/** Of each client: each new process makes engine processes for its tenants, and fetches the table. */
const WARM_UPS = 20;
const WARM_UPS_QUICK = 3;

/** Eight clients of four tenants, answered by more and more query services. */
export async function* statements(bench, fleet) {
  const load = await StatementLoad.of(bench, fleet);
  const durationMs = bench.quick ? DURATION_QUICK_MS : DURATION_MS;
  yield* inSteps(bench, {
    fleet,
    app: 'query-service',
    names: { rate: 'statements of 8 clients', wait: 'time of an answer', piece: 'a statement', unit: 'statements/s' },
    warmUp: () => load.warmUp(bench.quick ? WARM_UPS_QUICK : WARM_UPS),
    load: async () => {
      const { perSecond, answered: pieces, waitsMs, refused, use } = await load.run(durationMs);
      return { rate: perSecond, pieces, waitsMs, use, ...(refused > 0 && { note: `${refused} refused with 429` }) };
    },
  });
}
