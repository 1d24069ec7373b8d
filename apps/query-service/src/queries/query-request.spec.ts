import { describe, expect, it } from '@jest/globals';
import { DEFAULT_TENANT_LIMITS } from '@millrace/domain';
import { checkRequest } from './query-request.js';

const limits = { ...DEFAULT_TENANT_LIMITS, inlineRowsMax: 50, queryTimeoutMs: 1_000, queryTimeoutMaxMs: 5_000 };

describe('the check of a request', () => {
  it('fills in what the tenant may use', () => {
    expect(checkRequest({ sql: 'SELECT 1' }, { format: 'json', limits })).toEqual({
      sql: 'SELECT 1',
      params: undefined,
      timeoutMs: 1_000,
      reuse: 'exact',
      format: 'json',
      tableRowsMax: undefined,
      rowsMax: 50,
      answerBytesMax: limits.inlineAnswerBytesMax,
      resultBytesMax: limits.resultBytesMax,
    });
    const asked = checkRequest({ sql: 'SELECT 1', limit_rows: 7, timeout_ms: 5_000 }, { format: 'json', limits });
    expect(asked).toMatchObject({ rowsMax: 7, timeoutMs: 5_000 });
    expect(checkRequest({ sql: 'SELECT 1', limit_rows: 70 }, { format: 'json', limits }).rowsMax).toBe(50);
    expect(
      checkRequest({ sql: 'SELECT 1' }, { format: 'json', limits: { ...limits, queryTimeoutMs: 9_000 } }).timeoutMs,
    ).toBe(5_000);
  });

  it('leaves a table alone whole, but for what is asked', () => {
    expect(checkRequest({ sql: 'SELECT 1' }, { format: 'csv', limits })).toMatchObject({
      rowsMax: 0,
      tableRowsMax: undefined,
    });
    const asked = checkRequest({ sql: 'SELECT 1', limit_rows: 70 }, { format: 'csv', limits });
    expect(asked).toMatchObject({ rowsMax: 0, tableRowsMax: 70 });
    expect(() => checkRequest({ sql: 'SELECT 1', limit_rows: 70 }, { format: 'parquet', limits })).toThrow(
      expect.objectContaining({ code: 'request.invalid' }),
    );
  });

  it.each([
    [{ sql: ' ' }, 'sql.empty'],
    [{ sql: 'é'.repeat(600_000) }, 'sql.too_long'],
    [{ sql: 'SELECT 1', timeout_ms: 5_001 }, 'request.invalid'],
    [{ sql: 'SELECT $1', params: ['\0'] }, 'params.invalid'],
    [{ sql: 'SELECT $1', params: { '\udfff': 1 } }, 'params.invalid'],
  ])('refuses what is no request', (body, code) => {
    expect(() => checkRequest(body, { format: 'json', limits })).toThrow(expect.objectContaining({ code }));
  });

  it('lets statements through that are wrong: they fail as queries', () => {
    expect(checkRequest({ sql: 'DROP TABLE x' }, { format: 'json', limits }).sql).toBe('DROP TABLE x');
  });
});
