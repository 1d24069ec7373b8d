import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configSchema, OPERATIONS, readinessSchema, type Operation, type OperationName } from '@millrace/contract';
import { startMillrace, type MillraceUnderTest, type TenantUnderTest } from './harness/millrace.js';
import { ServedRoutes } from './harness/served-routes.js';

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { operationId: string; security?: unknown[]; responses: object }>>;
  readonly components: { schemas: Record<string, unknown> };
}

const declared = Object.entries<Operation>(OPERATIONS).map(([name, { method, path }]) => ({
  name,
  route: `${method} ${path}`,
}));

describe('the contract', () => {
  let millrace: MillraceUnderTest;
  let routes: ServedRoutes;
  let tenant: TenantUnderTest;
  let document: OpenApi;

  beforeAll(async () => {
    ({ started: millrace, routes } = await ServedRoutes.during(() => startMillrace()));
    tenant = await millrace.newTenant();
    document = (await (await fetch(`${millrace.url}/v1/openapi.json`)).json()) as OpenApi;
  });
  afterAll(() => millrace.stop());

  it('describes the operations, each once', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method} ${path}`),
    );
    expect(described.toSorted()).toEqual(declared.map(({ name, route }) => `${name} ${route}`).toSorted());
    expect(document.openapi).toBe('3.1.0');
  });

  it('refers to nothing that is not there', () => {
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    const names = new Set([...references].map(([, name]) => name));
    expect(names.size).toBeGreaterThan(10);
    for (const name of names) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  it.each(Object.keys(OPERATIONS) as OperationName[])('%s is served', async (name) => {
    const { method, path } = OPERATIONS[name] as Operation;
    const answer = await fetch(millrace.url + path.replace('{id}', 'none'), { method: method.toUpperCase() });
    const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
    expect(code).not.toBe('route.unknown');
  });

  it('is all there is: the gateway has no other route, but for the pages to read it and HEAD for GET', () => {
    const served = routes.at(millrace.url);
    const beyond = served.filter((route) => !isPage(route) && !isHeadOf(route, served));
    expect(beyond.toSorted()).toEqual(declared.map(({ route }) => route).toSorted());
    expect(served).toEqual(expect.arrayContaining(['get /', 'get /docs']));
  });

  it('holds all that the services behind the gateway serve', () => {
    const served = routes.besides(millrace.url);
    const beyond = served.filter((route) => !isHeadOf(route, served));
    expect(beyond).toContain('post /v1/query');
    expect(declared.map(({ route }) => route)).toEqual(expect.arrayContaining(beyond));
  });

  it('is all there is: other methods on its paths are unknown', async () => {
    const methods = ['get', 'post', 'put', 'delete', 'patch'] as const;
    for (const path of Object.keys(document.paths)) {
      for (const method of methods.filter((candidate) => !document.paths[path]?.[candidate])) {
        const answer = await fetch(millrace.url + path.replace('{id}', 'none'), { method: method.toUpperCase() });
        expect(`${method} ${path} ${answer.status}`).toBe(`${method} ${path} 404`);
      }
    }
  });

  it('can be read at /docs, from files of our own', async () => {
    const page = await fetch(`${millrace.url}/docs/`);
    expect(page.status).toBe(200);
    const html = await page.text();
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect(address).not.toMatch(/^(https?:)?\/\//);
      expect((await fetch(new URL(address ?? '', `${millrace.url}/docs/`))).status).toBe(200);
    }
  });

  it('shows limits and features without a key', async () => {
    const config = configSchema.parse(await (await fetch(`${millrace.url}/v1/config`)).json());
    expect(config.formats).toEqual(['csv', 'json', 'parquet']);
    expect(config.limits).toMatchObject({ inline_bytes_max: 1024 * 1024, query_timeout_ms: 30_000 });
  });

  it('says that it lives and what it needs', async () => {
    await expect((await fetch(`${millrace.url}/livez`)).json()).resolves.toEqual({ status: 'ok' });
    const readiness = readinessSchema.parse(await (await fetch(`${millrace.url}/readyz`)).json());
    expect(readiness.status).toBe('ready');
    expect(Object.keys(readiness.checks).toSorted()).toEqual(['object_store', 'postgres', 'query_service', 'queue']);
  });

  it('names the store when that is down', async () => {
    millrace.store.fail('ping');
    const answer = await fetch(`${millrace.url}/readyz`);
    millrace.store.heal();
    expect(answer.status).toBe(503);
    await expect(answer.json()).resolves.toMatchObject({
      status: 'not_ready',
      checks: { object_store: { status: 'down' } },
    });
  });

  it('gives its metrics to who may see them', async () => {
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
