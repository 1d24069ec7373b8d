import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OPERATIONS, type Operation } from '@millrace/contract';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { ServedRoutes } from './harness/served-routes.js';

const declared = Object.values<Operation>(OPERATIONS).map(({ method, path }) => `${method} ${path}`);

describe('all services in one process', () => {
  let millrace: MillraceUnderTest;
  let routes: ServedRoutes;
  let tenant: TenantUnderTest;

  beforeAll(async () => {
    ({ started: millrace, routes } = await ServedRoutes.during(() => startMillrace()));
    tenant = await millrace.newTenant();
  });
  afterAll(() => millrace.stop());

  it('have no route at the gateway that the contract does not have, but for the pages to read it and HEAD for GET', () => {
    const served = routes.at(millrace.url);
    const beyond = served.filter((route) => !isPage(route) && !isHeadOf(route, served));
    expect(beyond.toSorted()).toEqual(declared.toSorted());
    expect(served).toEqual(expect.arrayContaining(['get /', 'get /docs']));
  });

  it('have none behind the gateway either', () => {
    const served = routes.besides(millrace.url);
    const beyond = served.filter((route) => !isHeadOf(route, served));
    expect(beyond).toContain('post /v1/query');
    expect(declared).toEqual(expect.arrayContaining(beyond));
  });

  it('give their metrics on one page to who may see them', async () => {
    const source = { inline: { format: 'csv' as const, content: 'a\n1' } };
    const { body } = await tenant.asAdmin.call('dataset.create', { body: { label: 'Measured', source } });
    await tenant.asAdmin.call('query.run', { body: { sql: `FROM datasets.${body.table_name}` } });
    const answer = await tenant.asAdmin.call('service.metrics', {});
    const samples = [
      ...['gateway', 'query-service'].map((name) => `millrace_http_request_duration_seconds_count{.*service="${name}"`),
      'millrace_queries_running{.*service="query-service"',
      'millrace_conversion_duration_seconds_count{.*service="convert-worker"',
      'millrace_jobs_admitted_total{.*service="maintenance-worker"',
      'process_start_time_seconds{',
    ];
    for (const sample of samples) expect(String(answer.body)).toMatch(new RegExp(`^${sample}.*} \\d`, 'm'));
  });
});
/** The pages at `/docs`, and what leads there. */
function isPage(route: string): boolean {
  return /^(get|head) \/(docs(\/.*)?)?$/.test(route);
}

/** Whether a route is the HEAD that Fastify adds to a GET. */
function isHeadOf(route: string, served: readonly string[]): boolean {
  return route.startsWith('head ') && served.includes(route.replace(/^head /, 'get '));
}
