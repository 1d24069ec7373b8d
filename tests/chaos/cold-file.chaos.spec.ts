import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withClient } from '@millrace/testing';
import { Analyst } from '../e2e/harness/analyst.js';
import { Fleet } from '../e2e/harness/fleet/fleet.js';
import type { TenantUnderTest } from '../e2e/harness/millrace.js';

const TEST_MAX_MS = 180_000;
const READERS = 100;
/** As many as one tenant may have. */
const READERS_AT_ONCE = 16;
/** About 12 MB that can't be made smaller: the file is fetched in two ranges. */
const ROWS = 150_000;
const ROW_BYTES = 60;

describe('100 readers of one file that no query service has', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start();
  }, TEST_MAX_MS);
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  it(
    'have it fetched once by each query service, each range of it',
    async () => {
      await fleet.explained(async () => {
        for (const services of [1, 2]) {
          while (fleet.of('query-service').length < services) await fleet.add('query-service');
          // Connections that gateways keep open lead where they always did.
          fleet.innerNetwork.cut();
          fleet.innerNetwork.mend();
          const key = await readNewTable(await fleet.newTenant());
          expect({ services, fetches: fetchesOf(key) }).toEqual({ services, fetches: [services, services] });
        }
      });
    },
    TEST_MAX_MS,
  );

  /** Makes a table of one file, and reads it as often as it says above. Gives the key of the file. */
  const readNewTable = async ({ asMember, tenantId }: TenantUnderTest): Promise<string> => {
    const lines = Array.from({ length: ROWS }, (_, row) => `${row},${randomBytes(ROW_BYTES).toString('base64')}\n`);
    const bytes = `id,noise\n${lines.join('')}`;
    const analyst = new Analyst(asMember);
    const { table_name: table } = await analyst.convert(await analyst.upload({ bytes, type: 'text/csv' }));
    const left = Array.from({ length: READERS }, (_, row) => row);
    const answers: unknown[] = [];
    const read = async (): Promise<void> => {
      for (let row = left.pop(); row !== undefined; row = left.pop()) {
        answers[row] = await analyst.rows(`SELECT id, length(noise) FROM datasets.${table} WHERE id = ${row}`);
      }
    };
    await Promise.all(Array.from({ length: READERS_AT_ONCE }, read));
    expect(answers).toEqual(Array.from({ length: READERS }, (_, row) => [[row, (ROW_BYTES * 4) / 3]]));
    return keyOf(tenantId);
  };

  const keyOf = (tenantId: string): Promise<string> =>
    withClient(fleet.databaseUrl, async (client) => {
      const { rows } = await client.query<{ key: string }>(
        'SELECT storage_key AS key FROM version_files WHERE tenant_id = $1',
        [tenantId],
      );
      expect(rows).toHaveLength(1);
      return rows[0]?.key ?? '';
    });

  /** How often each range of a file was asked for. */
  const fetchesOf = (key: string): number[] => {
    const counts = new Map<string, number>();
    for (const { operation, target, headers } of fleet.s3.requests) {
      if (operation !== 'GetObject' || !target.includes(key)) continue;
      const range = headers.range ?? '';
      counts.set(range, (counts.get(range) ?? 0) + 1);
    }
    return [...counts.values()];
  };
});
