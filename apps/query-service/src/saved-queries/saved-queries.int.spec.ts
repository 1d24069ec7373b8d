import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Principal } from '@millrace/domain';
import { type Answer, QueryServiceHarness } from '../../test/query-service-harness.js';

describe('saved queries', () => {
  let harness: QueryServiceHarness;
  let admin: Principal;
  let member: Principal;

  beforeAll(async () => {
    harness = await QueryServiceHarness.start();
  });
  afterAll(() => harness.stop());

  beforeEach(async () => {
    const tenant = await harness.createTenant();
    admin = tenant.admin.principal;
    member = tenant.member.principal;
  });

  const send = async (
    caller: Principal,
    [method, path]: readonly [string, string],
    json?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const init = { method, headers, ...(json && { body: JSON.stringify(json) }) };
    const response = await harness.ask(caller, `/v1/saved-queries${path}`, init);
    const text = await response.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, body, text };
  };
  const save = (caller: Principal, json: object): Promise<Answer> =>
    send(caller, ['POST', ''], { name: 'totals', ...json });
  const run = (caller: Principal, name: string, json?: object): Promise<Answer> =>
    send(caller, ['POST', `/${name}/run`], json);

  const DAYS = {
    sql: 'SELECT $day + 1 AS next, typeof($day) AS type, $n * 2 AS twice',
    parameters: [
      { name: 'day', type: 'date', description: 'The day before.' },
      { name: 'n', type: 'DECIMAL(10, 2)', default: '1.50' },
    ],
  };

  it('are saved, and run by their name with values of the declared types', async () => {
    const saved = await save(member, { ...DAYS, description: 'Days.' });
    expect(saved.status).toBe(201);
    expect(saved.headers.get('location')).toBe(`/v1/saved-queries/${String(saved.body['id'])}`);
    expect(saved.body).toMatchObject({
      name: 'totals',
      description: 'Days.',
      version: 1,
      latest_version: 1,
      created_by: member.userId,
      parameters: [
        { name: 'day', type: 'DATE', required: true, description: 'The day before.' },
        { name: 'n', type: 'DECIMAL(10,2)', required: false, default: '1.50' },
      ],
    });
    const answer = await run(admin, 'TOTALS', { params: { day: '2020-02-28' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-saved-query-version')).toBe('1');
    expect(answer.body).toMatchObject({
      rows: [['2020-02-29', 'DATE', 3]],
      types: ['DATE', 'VARCHAR', expect.stringMatching(/^DECIMAL/)],
    });
    expect((await run(admin, String(saved.body['id']), { params: { day: '2020-02-28', n: 4 } })).body).toMatchObject({
      rows: [['2020-02-29', 'DATE', 8]],
    });
  });

  it('have versions, of which each can be run', async () => {
    await save(member, { sql: 'SELECT 1 AS a' });
    const renamed = await send(member, ['PUT', '/totals'], { name: 'sums', description: 'x' });
    expect(renamed.body).toMatchObject({ name: 'sums', description: 'x', latest_version: 1 });
    const same = await send(member, ['PUT', '/sums'], { sql: 'SELECT 1 AS a' });
    expect(same.body).toMatchObject({ latest_version: 1 });
    const changed = await send(member, ['PUT', '/sums'], { sql: 'SELECT 2 AS a' });
    expect(changed.body).toMatchObject({ latest_version: 2, version: 2, sql: 'SELECT 2 AS a' });
    expect((await send(member, ['GET', '/sums?version=1'])).body).toMatchObject({ version: 1, sql: 'SELECT 1 AS a' });
    expect((await run(member, 'sums')).body).toMatchObject({ rows: [[2]] });
    const old = await run(member, 'sums', { version: 1 });
    expect(old.body).toMatchObject({ rows: [[1]] });
    expect(old.headers.get('x-saved-query-version')).toBe('1');
    await expect(run(member, 'sums', { version: 3 })).resolves.toMatchObject({
      status: 404,
      body: { code: 'saved_query.not_found' },
    });
    const first = await send(member, ['GET', '/sums/versions?limit=1']);
    expect(first.body).toMatchObject({ versions: [{ version: 2 }], has_more: true });
    const rest = await send(member, ['GET', `/sums/versions?cursor=${String(first.body['next_cursor'])}`]);
    expect(rest.body).toMatchObject({ versions: [{ version: 1, sql: 'SELECT 1 AS a' }], has_more: false });
  });

  it('get numbers without gaps when many change them at once', async () => {
    await save(admin, { sql: 'SELECT 0' });
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => send(admin, ['PUT', '/totals'], { sql: `SELECT ${index + 1}` })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
    const { body } = await send(admin, ['GET', '/totals/versions']);
    expect((body['versions'] as { version: number }[]).map(({ version }) => version)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it('are listed, a page at a time and by the beginning of their names', async () => {
    for (const name of ['sales_a', 'sales_b', 'other']) await save(admin, { name, sql: 'SELECT 1' });
    const page = await send(member, ['GET', '?limit=1&name=SALES_']);
    expect(page.body).toMatchObject({ saved_queries: [{ name: 'sales_b', version: 1 }], has_more: true });
    const next = await send(member, ['GET', `?name=sales_&cursor=${String(page.body['next_cursor'])}`]);
    expect(next.body).toMatchObject({ saved_queries: [{ name: 'sales_a' }], has_more: false });
    expect((await send(member, ['GET', '?name=none'])).body).toMatchObject({ saved_queries: [], has_more: false });
  });

  it.each<[string, object, number, string]>([
    ['a statement that writes', { sql: 'DROP TABLE x' }, 422, 'sql.not_allowed'],
    ['one that the gate refuses', { sql: "SELECT * FROM read_csv('/etc/passwd')" }, 422, 'sql.not_allowed'],
    ['one that is none', { sql: 'SELECT FROM WHERE' }, 422, 'sql.syntax'],
    ['an empty one', { sql: ' ' }, 400, 'sql.empty'],
    ['a numbered parameter', { sql: 'SELECT $1' }, 422, 'sql.not_allowed'],
    ['a parameter that nobody declared', { sql: 'SELECT $a' }, 400, 'saved_query.parameters_invalid'],
    [
      'one that the statement does not have',
      { sql: 'SELECT 1', parameters: [{ name: 'a', type: 'DATE' }] },
      400,
      'saved_query.parameters_invalid',
    ],
    [
      'a default that is none of its type',
      { sql: 'SELECT $a', parameters: [{ name: 'a', type: 'DATE', default: '2020-02-30' }] },
      422,
      'params.invalid',
    ],
    [
      'a type that there is not',
      { sql: 'SELECT $a', parameters: [{ name: 'a', type: 'DATE; DROP' }] },
      400,
      'request.invalid',
    ],
    ['a name with a blank', { name: 'a b', sql: 'SELECT 1' }, 400, 'saved_query.name_invalid'],
  ])('are not made of %s', async (_, json, status, code) => {
    await expect(save(admin, json)).resolves.toMatchObject({ status, body: { code } });
    expect((await send(admin, ['GET', ''])).body).toMatchObject({ saved_queries: [] });
  });

  it('need not find their tables yet', async () => {
    expect((await save(admin, { sql: 'SELECT * FROM datasets.later' })).status).toBe(201);
    await expect(run(admin, 'totals')).resolves.toMatchObject({ status: 422, body: { code: 'table.unknown' } });
  });

  it.each<[string, object, string]>([
    ['is missing', {}, '"day" (DATE) is missing'],
    ['nobody declared', { day: '2020-01-01', x: 1 }, 'no parameter "x"'],
    ['is none of its type', { day: 'tomorrow' }, '$day is no DATE: "tomorrow"'],
  ])('are not run with a parameter that %s', async (_, params, message) => {
    await save(admin, DAYS);
    const answer = await run(admin, 'totals', { params });
    expect(answer).toMatchObject({ status: 422, body: { code: 'params.invalid' } });
    expect(answer.body['detail']).toContain(message);
  });

  it.each<[unknown, string]>([
    [1.5, 'INTEGER'],
    ['1.5', 'BIGINT'],
    [300, 'TINYINT'],
    ['x', 'UUID'],
  ])('do not round or cut %j to be %s', async (value, type) => {
    await save(admin, { sql: 'SELECT $a AS a', parameters: [{ name: 'a', type }] });
    await expect(run(admin, 'totals', { params: { a: value } })).resolves.toMatchObject({
      status: 422,
      body: { code: 'params.invalid' },
    });
  });

  it.each<[unknown, string, unknown]>([
    ['9223372036854775807', 'BIGINT', '9223372036854775807'],
    [true, 'BOOLEAN', true],
    ['2020-01-01T00:00:00+02:00', 'TIMESTAMP WITH TIME ZONE', '2019-12-31T22:00:00Z'],
    ["'; DROP TABLE x; --", 'VARCHAR', "'; DROP TABLE x; --"],
  ])('bind %j as %s', async (value, type, found) => {
    await save(admin, { sql: 'SELECT $a AS a', parameters: [{ name: 'a', type }] });
    const answer = await run(admin, 'totals', { params: { a: value } });
    expect(answer.body).toMatchObject({ rows: [[found]], types: [type] });
  });

  it('bind NULL, which has no type of its own', async () => {
    await save(admin, { sql: 'SELECT $a IS NULL AS a', parameters: [{ name: 'a', type: 'DATE', default: null }] });
    expect((await run(admin, 'totals')).body).toMatchObject({ rows: [[true]] });
  });

  it('have names of their own, in any case', async () => {
    await save(admin, { name: 'One', sql: 'SELECT 1' });
    const taken = { status: 409, body: { code: 'saved_query.name_taken' } };
    await expect(save(member, { name: 'ONE', sql: 'SELECT 1' })).resolves.toMatchObject(taken);
    await save(admin, { name: 'two', sql: 'SELECT 1' });
    await expect(send(admin, ['PUT', '/two'], { name: 'one' })).resolves.toMatchObject(taken);
  });

  it('are changed and deleted by who made them, and by admins', async () => {
    await save(admin, { name: 'of_admin', sql: 'SELECT 1' });
    await save(member, { name: 'of_member', sql: 'SELECT 1' });
    for (const call of [['PUT', '/of_admin'] as const, ['DELETE', '/of_admin'] as const]) {
      const json = call[0] === 'PUT' ? { sql: 'SELECT 2' } : undefined;
      await expect(send(member, call, json)).resolves.toMatchObject({ status: 403, body: { code: 'auth.forbidden' } });
    }
    expect((await send(admin, ['PUT', '/of_member'], { sql: 'SELECT 2' })).status).toBe(200);
    expect((await send(member, ['DELETE', '/of_member'])).status).toBe(204);
    await expect(send(admin, ['GET', '/of_member'])).resolves.toMatchObject({ status: 404 });
    expect((await save(admin, { name: 'of_member', sql: 'SELECT 1' })).status).toBe(201);
  });

  it('of another tenant do not exist', async () => {
    const { body } = await save(admin, { sql: 'SELECT 1' });
    const stranger = (await harness.createTenant()).admin.principal;
    for (const reference of ['totals', String(body['id']), '%00']) {
      for (const call of [
        ['GET', ''],
        ['GET', '/versions'],
        ['DELETE', ''],
        ['POST', '/run'],
      ] as const) {
        const answer = await send(stranger, [call[0], `/${reference}${call[1]}`]);
        expect(answer).toMatchObject({ status: 404, body: { code: 'saved_query.not_found' } });
      }
    }
    expect((await send(stranger, ['GET', ''])).body).toMatchObject({ saved_queries: [] });
  });

  it('answer as statements do, also with a table', async () => {
    await save(admin, { sql: 'SELECT * FROM range(3) t(n)' });
    const answer = await send(admin, ['POST', '/totals/run?format=csv'], {});
    expect(answer).toMatchObject({ status: 200, text: 'n\n0\n1\n2\n' });
    expect(answer.headers.get('x-saved-query-version')).toBe('1');
    expect((await run(admin, 'totals', { limit_rows: 1 })).body).toMatchObject({ row_count: 1, total_row_count: 3 });
  });
});
