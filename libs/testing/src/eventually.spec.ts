import { describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.js';

describe('eventually', () => {
  it('looks until it is so, and gives what it found', async () => {
    const findings = [undefined, false, null, 0, '', 'found', 'not looked for'] as const;
    let looks = 0;
    await expect(eventually('it is found', () => findings[looks++])).resolves.toBe('found');
    expect(looks).toBe(6);
  });

  it('looks at least once, and then says what was never so', async () => {
    let looks = 0;
    const never = eventually('pigs fly', async () => (looks += 1) < 0, 0);
    await expect(never).rejects.toThrow('In 0 ms it was never so: pigs fly');
    expect(looks).toBeGreaterThan(0);
  });

  it('does not look again after an error', async () => {
    let looks = 0;
    const look = (): boolean => {
      looks += 1;
      throw new Error('broken');
    };
    await expect(eventually('it works', look)).rejects.toThrow('broken');
    expect(looks).toBe(1);
  });
});
