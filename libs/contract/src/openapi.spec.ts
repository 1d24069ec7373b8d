import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from './openapi.js';

interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Record<string, { readonly headers?: object; readonly content?: object }>;
}

describe('the OpenAPI document', () => {
  const { paths } = openApiDocument('1') as unknown as { paths: Record<string, Record<string, Described>> };
  const headersOf = (path: string, method: string, status: number): string[] =>
    Object.keys(paths[path]?.[method]?.responses[status]?.headers ?? {});

  it('names the headers that say what a file is', () => {
    const headers = paths['/v1/files']?.post?.parameters?.map((parameter) => `${parameter.in} ${parameter.name}`);
    expect(headers).toEqual(['header Content-Encoding', 'header Content-Disposition', 'header Content-Digest']);
  });

  it.each<[string, string, number, string[]]>([
    ['/v1/files', 'get', 200, ['Link']],
    ['/v1/results/{id}', 'get', 200, ['Link']],
    ['/v1/files/{id}', 'get', 200, []],
    ['/v1/files', 'get', 401, ['WWW-Authenticate']],
    ['/v1/query', 'post', 429, ['Retry-After']],
    ['/v1/query', 'post', 503, ['Retry-After']],
    ['/v1/query', 'post', 400, []],
    ['/v1/datasets', 'post', 201, ['Location', 'Preference-Applied']],
    ['/v1/datasets', 'post', 202, ['Location', 'Retry-After', 'Preference-Applied']],
  ])('names the headers of answers: %s %s %i', (path, method, status, headers) => {
    expect(headersOf(path, method, status)).toEqual(headers);
  });

  it('says that metrics are text', () => {
    expect(paths['/metrics']?.get?.responses[200]?.content).toEqual({ 'text/plain': { schema: { type: 'string' } } });
  });
});
