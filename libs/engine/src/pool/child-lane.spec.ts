import { describe, expect, it } from '@jest/globals';
import { ChildLane } from './child-lane.js';
import { ChildStartError } from './child-start-error.js';
import { DEFAULT_ENGINE_OPTIONS } from './engine-options.js';

describe('a lane whose children do not start', () => {
  async function logOf(error: Error): Promise<object[]> {
    const lines: object[] = [];
    const logger = {
      ...DEFAULT_ENGINE_OPTIONS.logger,
      error: (fields: object, message: string) => void lines.push({ ...fields, message }),
    };
    const start = (): Promise<never> => Promise.reject(error);
    const lane = new ChildLane({
      ...DEFAULT_ENGINE_OPTIONS,
      childrenKeptMax: 1,
      childrenPerTenantMax: 1,
      logger,
      start,
      isHeavy: () => false,
      isSwollen: () => false,
    });
    await lane.close(0);
    return lines;
  }

  it('logs what failed and where, and quotes nothing', async () => {
    const cause = Object.assign(new Error('a secret'), { sql: 'a secret' });
    const lines = await logOf(new TypeError("near 'a secret'", { cause }));
    expect(lines).toMatchObject([
      {
        message: 'an engine process could not be started ahead',
        errors: [{ name: 'TypeError', frames: expect.arrayContaining([expect.any(String)]) }, { name: 'Error' }],
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('a secret');
  });

  it('logs what a process said that has not met anything of a caller', async () => {
    const lines = await logOf(new ChildStartError('ended', 'Error: EACCES: permission denied'));
    expect(lines).toMatchObject([{ errors: [{ name: 'ChildStartError' }], said: 'Error: EACCES: permission denied' }]);
  });
});
