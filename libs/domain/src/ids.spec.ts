import { describe, expect, it } from '@jest/globals';
import { ID_PREFIXES, isId, newId, type IdKind } from './ids.js';

const kinds = Object.keys(ID_PREFIXES) as IdKind[];

describe('an id', () => {
  it.each(kinds)('of kind %s is its prefix and a ULID in lower case', (kind) => {
    const id = newId(kind);
    expect(id).toHaveLength(30);
    expect(id.startsWith(ID_PREFIXES[kind])).toBe(true);
    expect(isId(kind, id)).toBe(true);
  });

  it('sorts by time', async () => {
    const earlier = newId('job');
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(newId('job') > earlier).toBe(true);
  });

  it.each(['', 'upld', newId('job'), newId('upload').toUpperCase(), `${newId('upload')}0`, `upld${'u'.repeat(26)}`])(
    'of another kind or shape (%s) is none',
    (text) => {
      expect(isId('upload', text)).toBe(false);
    },
  );
});
