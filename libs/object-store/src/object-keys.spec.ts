import { describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { checkKey, checkPrefix, isObjectKey, objectKeys } from './object-keys.js';

describe('objectKeys', () => {
  const tenantId = newId('tenant');
  const made = [
    objectKeys.upload(tenantId),
    objectKeys.inline(tenantId),
    objectKeys.datasetFile({ tenantId, datasetId: newId('dataset'), versionId: newId('version'), fileIndex: 12 }),
    objectKeys.result({ tenantId, resultId: newId('result') }),
  ];

  it.each(made)('makes keys of its own grammar below the tenant: %s', (key) => {
    expect(isObjectKey(key)).toBe(true);
    expect(key.startsWith(objectKeys.tenantPrefix(tenantId))).toBe(true);
    expect(checkKey(key)).toBe(key);
    for (let end = 0; end <= key.length; end += 1) expect(checkPrefix(key.slice(0, end))).toBe(key.slice(0, end));
  });

  it('never makes the same key twice', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => objectKeys.upload(tenantId))).size).toBe(1_000);
  });

  it('takes no file index that is none', () => {
    const file = { tenantId, datasetId: newId('dataset'), versionId: newId('version') };
    for (const fileIndex of [-1, 1.5, Number.NaN, 1e21]) {
      expect(() => objectKeys.datasetFile({ ...file, fileIndex })).toThrow(RangeError);
    }
  });

  it.each(made)('refuses what is only nearly a key: %s', (key) => {
    for (const text of [`/${key}`, `${key}/`, `${key}.part`, `${key}\n`, key.slice(1), key.toUpperCase(), `./${key}`]) {
      expect(() => checkKey(text)).toThrow(RangeError);
    }
  });
});
