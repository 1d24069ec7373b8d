import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from './openapi.js';

interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Record<
    string,
    { readonly headers?: object; readonly content?: Readonly<Record<string, unknown>> }
  >;
}

describe('the OpenAPI document', () => {
  const { paths } = openApiDocument('1') as unknown as { paths: Record<string, Record<string, Described>> };
  const headersOf = (path: string, method: string, status: number): string[] =>
    Object.keys(paths[path]?.[method]?.responses[status]?.headers ?? {});

  it('names the headers that say what a file is', () => {
    const headers = paths['/v1/files']?.post?.parameters?.map((parameter) => `${parameter.in} ${parameter.name}`);
    expect(headers).toEqual([
      'header Idempotency-Key',
      'header Content-Encoding',
      'header Content-Disposition',
      'header Content-Digest',
    ]);
  });

  it('says that every POST may carry a key, and beside it what else a header can say', () => {
    const namesOf = (path: string, method: string): (string | undefined)[] =>
      (paths[path]?.[method]?.parameters ?? []).map(({ name }) => name);
    expect(namesOf('/v1/datasets', 'post')).toEqual(['Prefer', 'Idempotency-Key']);
    expect(namesOf('/v1/files/tus', 'post')).not.toContain('Idempotency-Key');
    const posts = Object.entries(paths).filter(([path, methods]) => methods.post && path !== '/v1/files/tus');
    for (const [path, { post }] of posts) {
      expect(namesOf(path, 'post')).toContain('Idempotency-Key');
      expect(Object.keys(post?.responses ?? {})).toEqual(expect.arrayContaining(['409', '422']));
    }
    expect(posts.length).toBeGreaterThan(5);
    expect(namesOf('/v1/datasets/{id}', 'put')).toEqual(['id']);
  });

  it.each<[string, string, number, string[]]>([
    ['/v1/files', 'get', 200, ['Link']],
    ['/v1/results/{id}', 'get', 200, ['Vary', 'ETag', 'Cache-Control', 'Link']],
    ['/v1/files/{id}', 'get', 200, []],
    [
      '/v1/results/{id}/download',
      'get',
      206,
      ['ETag', 'Vary', 'Cache-Control', 'Content-Disposition', 'Accept-Ranges', 'Repr-Digest', 'Content-Range'],
    ],
    [
      '/v1/results/{id}',
      'get',
      206,
      ['ETag', 'Vary', 'Cache-Control', 'Content-Disposition', 'Accept-Ranges', 'Repr-Digest', 'Content-Range'],
    ],
    ['/v1/results/{id}', 'get', 304, ['ETag', 'Vary', 'Cache-Control']],
    ['/v1/results/{id}/download', 'get', 304, ['ETag', 'Vary', 'Cache-Control']],
    ['/v1/files/presign', 'post', 201, ['Location', 'Idempotency-Replayed']],
    ['/v1/files', 'get', 401, ['WWW-Authenticate']],
    ['/v1/query', 'post', 202, ['Location', 'Retry-After', 'Preference-Applied', 'Idempotency-Replayed']],
    ['/v1/query', 'post', 429, ['Retry-After']],
    ['/v1/query', 'post', 503, ['Retry-After']],
    ['/v1/query', 'post', 400, []],
    ['/v1/datasets', 'post', 201, ['Location', 'Preference-Applied', 'Idempotency-Replayed']],
    ['/v1/datasets', 'post', 202, ['Location', 'Retry-After', 'Preference-Applied', 'Idempotency-Replayed']],
  ])('names the headers of answers: %s %s %i', (path, method, status, headers) => {
    expect(headersOf(path, method, status)).toEqual(headers);
  });

  it('names the media types of tables, alone and beside JSON', () => {
    const typesOf = (path: string, method: string, status: number): string[] =>
      Object.keys(paths[path]?.[method]?.responses[status]?.content ?? {}).toSorted();
    const tables = [
      'application/vnd.apache.arrow.stream',
      'application/vnd.apache.parquet',
      'application/x-ndjson',
      'text/csv',
    ];
    const all = ['application/json', ...tables];
    expect(typesOf('/v1/results/{id}/download', 'get', 200)).toEqual(all);
    expect(typesOf('/v1/datasets/{id}/download', 'get', 206)).toEqual(['application/vnd.apache.parquet']);
    expect(typesOf('/v1/query', 'post', 200)).toEqual(all);
    for (const status of [406, 409, 410, 416]) {
      expect(typesOf('/v1/results/{id}/download', 'get', status)).toEqual(['application/problem+json']);
    }
  });

  it('names what a dry run is answered with beside the answer to a statement', () => {
    const schema = { anyOf: ['QueryAnswer', 'DryRun'].map((name) => ({ $ref: `#/components/schemas/${name}` })) };
    expect(paths['/v1/query']?.['post']?.responses[200]?.content).toMatchObject({ 'application/json': { schema } });
  });

  it('says that metrics are text', () => {
    expect(paths['/metrics']?.get?.responses[200]?.content).toEqual({ 'text/plain': { schema: { type: 'string' } } });
  });
});
