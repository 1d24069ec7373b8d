import { describe, expect, it } from '@jest/globals';
import { parseQueueLocation } from './parse-queue-location.js';

const databaseUrl = 'postgres://localhost/millrace';
const parse = (url?: string) => parseQueueLocation({ REDIS_URL: url, databaseUrl });

describe('the location of the queue', () => {
  it('is Postgres when no Redis is named', () => {
    expect(parse()).toEqual({ kind: 'postgres', databaseUrl });
  });

  it.each([
    ['redis://r', { topology: { type: 'server', node: { host: 'r', port: 6379 }, database: 0 }, tls: false }],
    [
      'redis://[::1]:7000/3',
      { topology: { type: 'server', node: { host: '::1', port: 7000 }, database: 3 }, tls: false },
    ],
    [
      'rediss://me:p%40ss%2F@r:6380',
      {
        topology: { type: 'server', node: { host: 'r', port: 6380 }, database: 0 },
        username: 'me',
        password: 'p@ss/',
        tls: true,
      },
    ],
    [
      'redis+sentinel://:pass@a:1,b/main?sentinel_password=other',
      {
        topology: {
          type: 'sentinel',
          sentinels: [
            { host: 'a', port: 1 },
            { host: 'b', port: 26379 },
          ],
          masterName: 'main',
          sentinelPassword: 'other',
        },
        password: 'pass',
        tls: false,
      },
    ],
    [
      'rediss+cluster://:a:b@a:1,b',
      {
        topology: {
          type: 'cluster',
          nodes: [
            { host: 'a', port: 1 },
            { host: 'b', port: 6379 },
          ],
        },
        password: 'a:b',
        tls: true,
      },
    ],
  ])('is understood: %s', (url, location) => {
    expect(parse(url)).toEqual({ kind: 'redis', ...location });
  });

  it.each([
    ['http://:secret@r', 'must be redis://'],
    ['redis://', 'must be redis://'],
    ['redis://:secret@a,b', 'several hosts'],
    ['redis://:secret@a:x', 'a host or a port'],
    ['redis://:secret@a:70000', 'a host or a port'],
    ['redis://:secret@a/main', 'number of a database'],
    ['redis://:secret%@a', 'percent-encoded'],
    ['redis://:secret@a?tls=1', 'unknown part, ?tls'],
    ['redis+sentinel://:secret@a', 'name of the master'],
    ['redis+cluster://:secret@a/1', 'no databases'],
  ])('is refused with what is wrong, without the password: %s', (url, what) => {
    expect(() => parse(url)).toThrow(what);
    expect(() => parse(url)).toThrow(/^(?!.*secret)/);
  });
});
