import { z } from 'zod';

/** Where messages to workers, and events to all processes, go through. */
export const queueVariables = {
  REDIS_URL: z
    .string()
    .regex(/^rediss?(\+sentinel|\+cluster)?:\/\//, {
      error: 'must begin with redis://, redis+sentinel:// or redis+cluster://',
    })
    .optional()
    .meta({
      description:
        'Redis or Valkey for the queue: `redis://[:password@]host:6379[/0]`, ' +
        '`redis+sentinel://[:password@]host1:26379,host2:26379/<master name>[?sentinel_password=…]` or ' +
        '`redis+cluster://[:password@]host1:6379,host2:6379`; `rediss` instead of `redis` for TLS. A password is ' +
        'percent-encoded. Left out, the queue lives in Postgres.',
    }),
};
