import { z } from 'zod';
import { hourMs, integer, port } from './kinds.js';

/** What every service has: where it listens, what it logs, how it ends. */
export const serviceVariables = {
  PORT: port.default(8080).meta({ description: 'Port of the gateway; 0 picks a free one.' }),
  HOST: z
    .string()
    .default('127.0.0.1')
    .meta({ description: 'Address that the gateway listens on; `0.0.0.0` for all.' }),
  PUBLIC_URL: z.url().optional().meta({ description: 'Address that users see, when a proxy stands in front.' }),
  DATA_DIR: z
    .string()
    .default('.millrace')
    .meta({ description: 'Folder for everything that is kept on this machine.' }),
  INTERNAL_SECRET: z.string().min(32).optional().meta({
    description: 'Signs the context of internal calls; the same for all services. Left out, one is made at each start.',
  }),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .meta({ description: 'How much is logged.' }),
  LOG_FILE: z.string().optional().meta({
    description:
      'File that log lines are appended to. Left out, they go to standard output; `npm start` writes `millrace.log` in the data folder.',
  }),
  DRAIN_MS: integer('How long work may go on after a signal to stop.', { min: 0, max: hourMs, default: 20_000 }),
};
