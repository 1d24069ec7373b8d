import { describe, expect, it } from '@jest/globals';
import { formatTraceparent, parseTraceparent } from './trace-parent.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it.each(['00', '01'])('with the flags %s is what it was after a round', (flags) => {
    const text = `00-${TRACE}-${SPAN}-${flags}`;
    const span = parseTraceparent(text);
    expect(span && formatTraceparent(span)).toBe(text);
  });

  it('of a later version, or with flags of later ones, is read as far as it is known', () => {
    const span = parseTraceparent(`01-${TRACE}-${SPAN}-ff`);
    expect(span && formatTraceparent(span)).toBe(`00-${TRACE}-${SPAN}-01`);
  });

  it.each([
    ['no text', ''],
    ['another text', 'a trace'],
    ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
    ['something after it', `00-${TRACE}-${SPAN}-01-x`],
  ])('is none: %s', (_what, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
