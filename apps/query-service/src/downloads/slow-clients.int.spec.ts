import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONTEXT_HEADER, signContext } from '@millrace/auth';
import type { Principal } from '@millrace/domain';
import { eventually, pinCount } from '@millrace/testing';
import { INTERNAL_SECRET, QueryServiceHarness } from '../../test/query-service-harness.js';
import { createTable } from '../../test/tables.js';

describe('downloads by clients that are slow', () => {
  let harness: QueryServiceHarness;
  let caller: Principal;

  beforeAll(async () => {
    const variables = { DOWNLOAD_IDLE_MAX_MS: '1000', DOWNLOAD_BYTES_PER_SECOND_MIN: String(1024 ** 3) };
    harness = await QueryServiceHarness.start(variables);
    caller = (await harness.createTenant()).admin.principal;
  });
  afterAll(() => harness.stop());

  it.each(['parquet', 'csv'])('break off, also when something of them is taken again and again: %s', async (format) => {
    const { id } = await createTable(harness, caller, {
      sql: 'SELECT i, md5(i::VARCHAR) AS h FROM range(1000000) t(i)',
    });
    const asked = request(`${harness.url}/v1/datasets/${id}/download?format=${format}`, {
      headers: { [CONTEXT_HEADER]: signContext(caller, INTERNAL_SECRET) },
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.on('error', () => undefined);
    const trickle = setInterval(() => answer.read(), 20);
    await new Promise((resolve) => answer.once('close', resolve));
    clearInterval(trickle);
    expect([answer.statusCode, answer.complete]).toEqual([200, false]);
    await eventually('nothing is pinned', async () => (await pinCount(harness.catalog, caller.tenantId)) === 0);
  });
});
