import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { examplesIn, notedFrom, readAnswer, statementsIn, withoutPassingParts } from './harness/docs-examples.js';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { problemOf } from './harness/problems.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMMAND_MS_MAX = 30_000;
const run = promisify(execFile);
const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe.each(['README.md', 'docs/api.md', 'docs/files.md'])('the examples of %s', (file) => {
  const noted: Record<string, string> = {};
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;

  beforeAll(async () => {
    // As the page has it: nobody uploads past the gateway.
    millrace = await startMillrace({ S3_PUBLIC_ENDPOINT: '' });
    tenant = await millrace.newTenant();
  });
  afterAll(() => millrace.stop());

  /** Runs a command as a person would, with what they noted before, and gives what curl printed. */
  async function answerTo(command: string): Promise<string> {
    const { url } = millrace;
    const { apiKey } = tenant.admin;
    const variables = {
      ...{ MILLRACE: url, KEY: `Authorization: Bearer ${apiKey}`, JSON: 'Content-Type: application/json' },
      ...noted,
    };
    const here = command.replaceAll('http://127.0.0.1:8080', url).replaceAll(/\bmr_[\w-]+…?/g, apiKey);
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', here], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...variables },
      timeout: COMMAND_MS_MAX,
    });
    return stdout;
  }

  /** Between two commands of a person, everything in the background has long ended. */
  async function untilSettled(): Promise<void> {
    await eventually('the background is idle', async () => {
      const { results } = (await tenant.asAdmin.call('result.list', { query: { status: 'processing' } })).body;
      const { queries } = (await tenant.asAdmin.call('query.list', { query: { status: 'running' } })).body;
      const { jobs } = (await tenant.asAdmin.call('job.list', {})).body;
      return results.length + queries.length === 0 && jobs.every(({ finished_at }) => finished_at !== null);
    });
  }

  const examples = examplesIn(file, read(file));
  it.each(examples.map((example) => [example.place, example] as const))('%s', async (_, { command, expected }) => {
    await untilSettled();
    const answer = readAnswer(await answerTo(command));
    Object.assign(noted, notedFrom(answer.body));
    const { status, body } = expected;
    expect(withoutPassingParts({ ...answer, status: status && answer.status })).toMatchObject(
      withoutPassingParts({ status, headers: expected.headers, ...(body !== undefined && { body }) }) as object,
    );
  });
});

describe('the statements of docs/sql.md', () => {
  const { accepted, refused } = statementsIn(read('docs/sql.md'));
  let millrace: MillraceUnderTest;
  let tenant: TenantUnderTest;

  beforeAll(async () => {
    millrace = await startMillrace();
    tenant = await millrace.newTenant();
    const sales = 'day,region,amount\n2025-01-03,North,12.5\n2025-01-04,South,\n2025-01-06,North,1000';
    const airports = 'iata,name,state\nANC,Anchorage,AK';
    for (const [label, content] of Object.entries({ sales, airports })) {
      const source = { inline: { format: 'csv' as const, content } };
      await tenant.asAdmin.call('dataset.create', { body: { label, source } });
    }
  });
  afterAll(() => millrace.stop());

  it.each(accepted)('runs: %s', async (sql) => {
    const { body } = await tenant.asAdmin.call('query.run', { body: { sql } });
    expect(body.total_row_count).toBeGreaterThan(0);
  });

  it.each(refused)('refuses: %s', async (sql, code) => {
    const problem = await problemOf(tenant.asAdmin.call('query.run', { body: { sql } }));
    expect(problem).toMatchObject({ status: 422, code });
  });
});
