import { describe, expect, it } from '@jest/globals';
import { redactSecrets } from './redact-secrets.js';

const KEY = `mr_${'k'.repeat(43)}`;

describe('a line of the log', () => {
  it.each([
    ['the password of a database', { reason: 'connect postgres://app:pa/ss:wo@db:5432/x failed' }, 'pa/ss:wo'],
    ['the password of a queue without a user', { url: 'redis+sentinel://:hunter2@a:1,b:2/main' }, 'hunter2'],
    ['a key', { deep: { deeper: { words: `key ${KEY} is unknown` } } }, KEY],
    ['a token', { note: 'authorization: Bearer abc.def-ghi' }, 'abc.def-ghi'],
    ['a field of that name, however deep', { a: { b: { secretAccessKey: 'x', password: 'hun"ter2' } } }, 'ter2'],
    ['a setting', { lastWords: 'dsn host=db password=hunter2 user=app' }, 'hunter2'],
    ['a setting in capitals', { lastWords: 'PGPASSWORD=hunter2' }, 'hunter2'],
    ['a field in camel case', { apiKey: 'hunter2' }, 'hunter2'],
  ])('hides %s', (_what, fields, secret) => {
    const line = redactSecrets(JSON.stringify(fields));
    expect(line).not.toContain(secret);
    expect(line).toContain('[hidden]');
    expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  it.each([
    ['letters', 'a'],
    ['addresses', '://a:'],
    ['schemes', 'a://'],
    ['names of fields', '"password'],
    ['words that begin a secret', 'password='],
  ])('is looked through once, however many %s there are in it: squared it would not end', (_what, part) => {
    const line = `{"path":"/hunter2/${part.repeat(1_000_000 / part.length)}"}`;
    expect(redactSecrets(line)).toContain('/hunter2/');
  });

  it('stays as it is otherwise', () => {
    const line = JSON.stringify({ url: 'http://127.0.0.1:8080/v1', error: 'the class passed', path: '/v1/files' });
    expect(redactSecrets(line)).toBe(line);
  });
});
