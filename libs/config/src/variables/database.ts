import { z } from 'zod';
import { integer } from './kinds.js';

/** The catalog. */
export const databaseVariables = {
  DATABASE_URL: z.string().optional().meta({
    description: 'Postgres to use. Left out, `npm start` runs an embedded one in the data folder.',
  }),
  DATABASE_POOL_MAX: integer('Connections to Postgres of one service.', { min: 2, max: 100, default: 10 }),
};
