import type { EntitySchemaColumnOptions } from 'typeorm';
import type { z } from 'zod';
import { parsed } from './json.js';

/*
 * Columns for entity schemas. Only the name and the kind of value matter: the tables are made by the migrations, and
 * plain schemas (not classes) make TypeORM give plain objects, which are the catalog's records.
 */

export const key = (name: string): EntitySchemaColumnOptions => ({ name, type: 'text', primary: true });
export const text = (name: string): EntitySchemaColumnOptions => ({ name, type: 'text', nullable: true });
export const textList = (name: string): EntitySchemaColumnOptions => ({ name, type: 'text', array: true });
export const bytes = (name: string): EntitySchemaColumnOptions => ({ name, type: 'bytea' });
export const flag = (name: string): EntitySchemaColumnOptions => ({ name, type: 'boolean' });
export const time = (name: string): EntitySchemaColumnOptions => ({ name, type: 'timestamptz', nullable: true });
/** The pool's type parsers already made the value a number. */
export const number = (name: string): EntitySchemaColumnOptions => ({ name, type: 'float8', nullable: true });
export const json = (name: string, schema: z.ZodType): EntitySchemaColumnOptions => ({
  name,
  type: 'jsonb',
  nullable: true,
  transformer: parsed(schema),
});

/** As it was written, down to the last digit and NUL character, which jsonb does not keep. */
export const textualJson = (name: string, schema: z.ZodType): EntitySchemaColumnOptions => ({
  ...json(name, schema),
  type: 'json',
});

/** Of every row that belongs to a tenant and has an id. */
export const identity = { tenantId: key('tenant_id'), id: key('id') };
