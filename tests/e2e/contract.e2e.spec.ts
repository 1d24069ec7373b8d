import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configSchema, OPERATIONS, readinessSchema, type Operation, type OperationName } from '@millrace/contract';
import { startMillrace, type MillraceUnderTest } from './harness/millrace.js';

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
  let document: OpenApi;

  beforeAll(async () => {
    millrace = await startMillrace();
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

  /** Also as a path with a parameter: `presign` could be an id. */
  const isDescribed = (method: string, path: string): boolean =>
    Object.entries(document.paths).some(
      ([pattern, methods]) => methods[method] && new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
    );

  it('is all there is: other methods on its paths are unknown', async () => {
    const methods = ['get', 'post', 'put', 'delete', 'patch'] as const;
    for (const path of Object.keys(document.paths)) {
      for (const method of methods.filter((candidate) => !isDescribed(candidate, path))) {
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
});
