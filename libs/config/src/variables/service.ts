import { z } from 'zod';
import { hourMs, integer, port } from './kinds.js';

/** What every service has: where it listens, what it logs, how it ends. */
export const serviceVariables = {
  PORT: port.default(8080).meta({
    description: 'Port of the gateway, or of the query service where that is a process of its own; 0 picks a free one.',
  }),
  HOST: z.string().default('127.0.0.1').meta({ description: 'Address that the same listens on; `0.0.0.0` for all.' }),
  OPS_PORT: port.default(9090).meta({
    description:
      'Port of the operations door of a process: `/livez`, `/readyz`, `/metrics`, without a key. `npm start` has none.',
  }),
  OPS_HOST: z
    .string()
    .default('127.0.0.1')
    .meta({ description: 'Address of the operations door. Only those who run the service may reach it.' }),
  QUERY_SERVICE_URL: z.url().optional().meta({
    description: 'Where the gateway finds the query service, for example `http://query-service:8081`.',
  }),
  PUBLIC_URL: z.url().optional().meta({ description: 'Address that users see, when a proxy stands in front.' }),
  DATA_DIR: z
    .string()
    .default('.millrace')
    .meta({ description: 'Folder for everything that is kept on this machine.' }),
  QUERY_SERVICE_CONNECTION_MS: integer(
    'How long a gateway keeps a connection to the query service. A new one may lead to another instance, so that one that was added gets its part.',
    { min: 1, max: hourMs, default: 30_000 },
  ),
  INTERNAL_SECRET: z.string().min(32).optional().meta({
    description:
      'Signs the context of internal calls; the same for all services. `npm start` makes one at each start when it is left out.',
  }),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .meta({ description: 'How much is logged.' }),
  LOG_FILE: z.string().optional().meta({
    description:
      'File that log lines are appended to. Left out, they go to standard output; `npm start` writes `millrace.log` in the data folder.',
  }),
  DRAIN_DELAY_MS: integer(
    'How long a process serves on after a signal to stop, not ready any more, until load balancers have noticed.',
    { min: 0, max: hourMs, default: 0 },
  ),
  DRAIN_MS: integer('How long work may go on after a signal to stop, and after that delay.', {
    min: 0,
    max: hourMs,
    default: 20_000,
  }),
  BOOTSTRAP_API_KEY: z
    .string()
    .regex(/^mr_[\w-]{43}$/, 'An API key is mr_ and 43 letters, digits, _ or -.')
    .optional()
    .meta({
      description:
        'API key of the first admin that the migrations see to: `mr_` and 43 letters, digits, `_` or `-`. Left out, one is made with the first tenant.',
    }),
  CREDENTIALS_FILE: z.string().optional().meta({
    description:
      'File that the migrations write the key of the first tenant to, when they make it. They print it, too.',
  }),
};
