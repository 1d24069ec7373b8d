import type { ArgumentMetadata } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { createDatasetSchema, listDatasetsQuerySchema, runQuerySchema } from '@millrace/contract';
import { validationPipe } from './validation.js';

describe('the check of bodies and queries', () => {
  const check = async (schema: NonNullable<ArgumentMetadata['schema']>, value: object): Promise<unknown> =>
    validationPipe().transform(structuredClone(value), { type: 'body', schema });

  it.each(['constructor', 'prototype', 'toString'])('takes %s as a name like any other', async (name) => {
    const query = { sql: `SELECT $${name}`, params: { [name]: 1 } };
    await expect(check(runQuerySchema, query)).resolves.toEqual(query);
    const inline = { format: 'csv', content: 'a\n1', columns: { [name]: { type: 'VARCHAR' } } };
    const dataset = { label: 'A', source: { inline } };
    await expect(check(createDatasetSchema, dataset)).resolves.toEqual(dataset);
  });

  it.each(['constructor', 'prototype', 'toString'])('refuses %s where nothing has that name', async (name) => {
    const refusal = { code: 'request.invalid', message: expect.stringContaining(`"${name}"`) };
    await expect(check(runQuerySchema, { sql: 'SELECT 1', [name]: 1 })).rejects.toMatchObject(refusal);
    await expect(check(listDatasetsQuerySchema, { [name]: '1' })).rejects.toMatchObject(refusal);
  });
});
