import { describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { DownloadPlaces } from './download-places.js';

const tooMany = expect.objectContaining({ code: 'query.too_many' });

describe('the places of downloads', () => {
  it('are bounded for each tenant, and given back', () => {
    const places = new DownloadPlaces();
    const [a, b] = [newId('tenant'), newId('tenant')];
    const first = places.take(a, 2);
    places.take(a, 2);
    expect(() => places.take(a, 2)).toThrow(tooMany);
    places.take(b, 2);
    first();
    places.take(a, 2);
    expect(() => places.take(a, 2)).toThrow(tooMany);
  });

  it('are bounded in all', () => {
    const places = new DownloadPlaces();
    const taken = Array.from({ length: 128 }, () => places.take(newId('tenant'), 1));
    expect(() => places.take(newId('tenant'), 1)).toThrow(tooMany);
    taken[0]?.();
    expect(places.take(newId('tenant'), 1)).toBeInstanceOf(Function);
  });
});
