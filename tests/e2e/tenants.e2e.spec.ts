import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OPERATIONS, type Operation, type OperationName } from '@millrace/contract';
import { SCOPES } from '@millrace/domain';
import { createCaller, eventually } from '@millrace/testing';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';
import { keptAnswer } from './harness/kept-answer.js';

/** One thing of each kind that an id in a path can name. */
interface Things {
  readonly files: string;
  readonly datasets: string;
  readonly queries: string;
  readonly results: string;
  readonly jobs: string;
  readonly 'saved-queries': string;
}

const names = Object.keys(OPERATIONS) as OperationName[];
const contractOf = (name: OperationName): Operation => OPERATIONS[name];
const closed = names.filter((name) => contractOf(name).access !== 'public');
const withId = closed.filter((name) => contractOf(name).path.includes('{id}'));
const lists = closed.filter((name) => name.endsWith('.list'));

/** What a client of tus sends with a piece; some of it with every request. */
const TUS_HEADERS = {
  'tus-resumable': '1.0.0',
  'upload-offset': '0',
  'content-type': 'application/offset+octet-stream',
};

interface Refusal {
  readonly status: number;
  readonly code: string;
}

/** The answer to HEAD has no body that could say why. */
async function expectRefused(name: OperationName, answer: Response, refusal: Refusal): Promise<void> {
  expect(answer.status).toBe(refusal.status);
  if (contractOf(name).method !== 'head') expect(await answer.json()).toMatchObject(refusal);
}

describe('the walls between tenants', () => {
  let millrace: MillraceUnderTest;
  let owner: TenantUnderTest;
  let stranger: TenantUnderTest;
  let things: Things;

  beforeAll(async () => {
    millrace = await startMillrace();
    owner = await millrace.newTenant();
    stranger = await millrace.newTenant();
    things = await fill(owner, 'secret');
    await fill(stranger, 'theirs');
  });
  afterAll(() => millrace.stop());

  /** A file, a dataset called `private`, a query over it, its result, the job that stored it, and a saved query. */
  async function fill({ asAdmin }: TenantUnderTest, word: string): Promise<Things> {
    const file = await asAdmin.call('file.upload', { body: `word\n${word}` });
    const source = { inline: { format: 'csv' as const, content: `word\n${word}` } };
    const dataset = await asAdmin.call('dataset.create', { body: { label: 'Private', source } });
    const answer = keptAnswer((await asAdmin.call('query.run', { body: { sql: 'FROM datasets.private' } })).body);
    expect(answer.rows).toEqual([[word]]);
    await eventually('the result is ready', async () => {
      const { body } = await asAdmin.call('result.get', { path: { id: answer.result_id } });
      return body.status === 'ready';
    });
    const jobs = await asAdmin.call('job.list', {});
    const saved = await asAdmin.call('saved_query.create', { body: { name: 'private', sql: `SELECT '${word}' AS w` } });
    return {
      files: file.body.id,
      datasets: dataset.body.id,
      queries: answer.query_run_id,
      results: answer.result_id,
      jobs: jobs.body.jobs[0]?.id ?? '',
      'saved-queries': saved.body.id,
    };
  }

  /** Sends an operation as somebody, with a body that is right where one is needed. */
  async function send(name: OperationName, apiKey: string | undefined): Promise<Response> {
    const { method, path, body } = contractOf(name);
    const collection = path.split('/')[2] as keyof Things;
    const bodies: Partial<Record<OperationName, unknown>> = {
      'dataset.create': { label: 'Stolen', source: { upload_id: things.files } },
      'dataset.update': { label: 'Stolen' },
      'file.sign_parts': { part_numbers: [1] },
      'file.complete': { parts: [{ part_number: 1, etag: 'none' }] },
      'query.run': { sql: 'FROM datasets.private' },
      'saved_query.update': { description: 'Stolen' },
    };
    return fetch(millrace.url + path.replace('{id}', things[collection]), {
      method: method.toUpperCase(),
      headers: {
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
        ...(body?.kind === 'json' && { 'content-type': 'application/json' }),
        ...(name.startsWith('file.tus_') && TUS_HEADERS),
      },
      ...(body && { body: body.kind === 'json' ? JSON.stringify(bodies[name] ?? {}) : 'bytes' }),
    });
  }

  it.each(withId)('%s does not find what belongs to another tenant', async (name) => {
    const answer = await send(name, stranger.admin.apiKey);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain('secret');
    // It is there for its owner, unharmed.
    const { status } = await send(`${name.split('.')[0] as 'file'}.get`, owner.admin.apiKey);
    expect(status).toBe(200);
  });

  it.each(lists)('%s shows nothing of another tenant', async (name) => {
    const text = await (await send(name, stranger.admin.apiKey)).text();
    for (const id of Object.values(things)) expect(text).not.toContain(id);
    expect(await (await send(name, owner.admin.apiKey)).text()).toMatch(new RegExp(Object.values(things).join('|')));
  });

  it('statements reach only the tables and results of their own tenant', async () => {
    const { asAdmin } = stranger;
    const run = (sql: string) => asAdmin.call('query.run', { body: { sql } });
    await expect(run('FROM datasets.private')).resolves.toMatchObject({ body: { rows: [['theirs']] } });
    const foreign = await problemOf(run(`FROM results.${things.results}`));
    const nowhere = await problemOf(run(`FROM results.rslt${'0'.repeat(26)}`));
    expect(foreign).toMatchObject({ status: 422, code: 'table.unknown' });
    // The same sentence for what is not there and for what is not theirs.
    expect(foreign.detail.replaceAll(things.results, 'X')).toBe(nowhere.detail.replaceAll(/rslt0+/g, 'X'));
  });

  it('an upload of another tenant is no source', async () => {
    await expect((await send('dataset.create', stranger.admin.apiKey)).json()).resolves.toMatchObject({
      ...{ status: 400, code: 'upload.unknown' },
    });
  });

  it('a member sees their own uploads, queries and results, and no others', async () => {
    for (const name of ['file.get', 'file.delete', 'query.get', 'query.cancel', 'result.get', 'job.get'] as const) {
      expect((await send(name, owner.member.apiKey)).status).toBe(404);
    }
    await expect(owner.asMember.call('file.list', {})).resolves.toMatchObject({ body: { uploads: [] } });
    await expect(owner.asMember.call('query.list', {})).resolves.toMatchObject({ body: { queries: [] } });
    const sql = `FROM results.${things.results}`;
    const result = problemOf(owner.asMember.call('query.run', { body: { sql } }));
    await expect(result).resolves.toMatchObject({ code: 'table.unknown' });
    await expect((await send('dataset.create', owner.member.apiKey)).json()).resolves.toMatchObject({
      code: 'upload.unknown',
    });
  });

  it.each(closed)('%s asks for a key', async (name) => {
    await expectRefused(name, await send(name, undefined), { status: 401, code: 'auth.missing' });
    await expectRefused(name, await send(name, `mr_${'A'.repeat(43)}`), { status: 401, code: 'auth.invalid' });
  });

  it.each(closed)('%s asks for its scope', async (name) => {
    const scopes = SCOPES.filter((scope) => scope !== contractOf(name).access);
    const { apiKey } = await createCaller(millrace.catalog, owner.tenantId, { role: 'admin', scopes });
    await expectRefused(name, await send(name, apiKey), { status: 403, code: 'auth.forbidden' });
  });

  it('a revoked key opens nothing', async () => {
    const { apiKey, principal } = await createCaller(millrace.catalog, owner.tenantId, { role: 'admin' });
    expect((await send('file.list', apiKey)).status).toBe(200);
    await millrace.catalog.keys.revoke(owner.tenantId, principal.apiKeyId);
    await expect((await send('file.list', apiKey)).json()).resolves.toMatchObject({
      status: 401,
      code: 'auth.invalid',
    });
  });
});
