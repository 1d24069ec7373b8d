import { describe, expect, it } from '@jest/globals';
import { DEFAULT_TENANT_LIMITS } from '@millrace/domain';
import { checkRequest } from './query-request.js';

const limits = { ...DEFAULT_TENANT_LIMITS, inlineRowsMax: 50, queryTimeoutMs: 1_000, queryTimeoutMaxMs: 5_000 };

describe('the check of a request', () => {
  it('fills in what the tenant may use', () => {
    expect(checkRequest({ sql: 'SELECT 1' }, limits)).toEqual({
      sql: 'SELECT 1',
      params: undefined,
      timeoutMs: 1_000,
      rowsMax: 50,
      answerBytesMax: limits.inlineAnswerBytesMax,
      resultBytesMax: limits.resultBytesMax,
    });
    const asked = checkRequest({ sql: 'SELECT 1', limit_rows: 7, timeout_ms: 5_000 }, limits);
    expect(asked).toMatchObject({ rowsMax: 7, timeoutMs: 5_000 });
    expect(checkRequest({ sql: 'SELECT 1', limit_rows: 70 }, limits).rowsMax).toBe(50);
    expect(checkRequest({ sql: 'SELECT 1' }, { ...limits, queryTimeoutMs: 9_000 }).timeoutMs).toBe(5_000);
  });

  it.each([
    [{ sql: ' ' }, 'sql.empty'],
    [{ sql: 'é'.repeat(600_000) }, 'sql.too_long'],
    [{ sql: 'SELECT 1', timeout_ms: 5_001 }, 'request.invalid'],
    [{ sql: 'SELECT $1', params: ['\0'] }, 'params.invalid'],
    [{ sql: 'SELECT $1', params: { '\udfff': 1 } }, 'params.invalid'],
  ])('refuses what is no request', (body, code) => {
    expect(() => checkRequest(body, limits)).toThrow(expect.objectContaining({ code }));
  });

  it('lets statements through that are wrong: they fail as queries', () => {
    expect(checkRequest({ sql: 'DROP TABLE x' }, limits).sql).toBe('DROP TABLE x');
  });
});
