import { describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { decodeIdCursor, decodeOffsetCursor, encodeCursor, nextPageLink, pageFields } from './page.js';

describe('a cursor', () => {
  const id = newId('upload');

  it('comes back as what it was', () => {
    expect(decodeIdCursor('upload', encodeCursor(id))).toBe(id);
    expect(decodeOffsetCursor(encodeCursor(200))).toBe(200);
    expect(decodeIdCursor('upload', undefined)).toBeUndefined();
    expect(decodeOffsetCursor(undefined)).toBe(0);
  });

  it.each(['', 'nonsense', encodeCursor(5), encodeCursor(newId('job')), encodeCursor("' OR 1=1")])(
    'of another list or of nowhere (%s) is refused',
    (cursor) => {
      expect(() => decodeIdCursor('upload', cursor)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }));
    },
  );

  it.each(['', encodeCursor(-1), encodeCursor(1.5), encodeCursor(id)])('that is no count (%s) is refused', (cursor) => {
    expect(() => decodeOffsetCursor(cursor)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }));
  });

  it('is given only when there is more', () => {
    expect(pageFields({ items: [{ id }], hasMore: false })).toEqual({ has_more: false, next_cursor: null });
    expect(pageFields({ items: [{ id }], hasMore: true })).toEqual({ has_more: true, next_cursor: encodeCursor(id) });
  });

  it('keeps the rest of the query in the link', () => {
    const link = nextPageLink('/v1/files?status=pending&cursor=old', { has_more: true, next_cursor: 'new' });
    expect(link).toBe('</v1/files?status=pending&cursor=new>; rel="next"');
  });
});
