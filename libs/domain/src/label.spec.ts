import { describe, expect, it } from '@jest/globals';
import { checkLabel } from './label.js';

describe('a label', () => {
  it.each([
    '',
    ' ',
    '\u00a0\t\n',
    '\u200b',
    '\u200b \u2060',
    '\ufeff',
    '\u00ad',
    '\u3164',
    '\u2800',
    '\ufe0f',
    '\u0001',
  ])('has something to see: not %j', (label) => {
    expect(() => checkLabel(label)).toThrow(expect.objectContaining({ code: 'label.blank' }));
  });

  it.each([
    [' A ', 'A'],
    ['👩\u200d👩', '👩\u200d👩'],
    ['\u200bé', '\u200bé'],
    ['_', '_'],
    ['売上', '売上'],
  ])('is kept without the blanks around it: %j', (label, kept) => {
    expect(checkLabel(label)).toBe(kept);
  });
});
