import { describe, expect, it } from '@jest/globals';
import { WaitingLine } from './waiting-line.js';

interface Caller {
  readonly tenantId: string;
  readonly name: string;
}

const noLoad = (): number => 0;

function lineOf(names: string): WaitingLine<Caller> {
  const line = new WaitingLine<Caller>();
  for (const name of names.split(' ')) line.join({ tenantId: name.slice(0, 1), name });
  return line;
}

function namesTaken(line: WaitingLine<Caller>, loadOf: (tenantId: string) => number = noLoad): string {
  const names: string[] = [];
  for (let next = line.take(loadOf); next; next = line.take(loadOf)) names.push(next.name);
  return names.join(' ');
}

describe('WaitingLine', () => {
  it('keeps the order of one tenant', () => {
    expect(namesTaken(lineOf('a1 a2 a3'))).toBe('a1 a2 a3');
  });

  it('goes round the tenants', () => {
    expect(namesTaken(lineOf('a1 a2 a3 b1 b2 c1'))).toBe('a1 b1 c1 a2 b2 a3');
  });

  it('lets a tenant that comes later wait for one turn of the others, not for all of theirs', () => {
    const line = lineOf('a1 a2 a3');
    expect(line.take(noLoad)?.name).toBe('a1');
    line.join({ tenantId: 'b', name: 'b1' });
    expect(line.take(noLoad)?.name).toBe('a2');
    expect(line.take(noLoad)?.name).toBe('b1');
  });

  it('prefers the tenant that has least', () => {
    const load = new Map([
      ['a', 2],
      ['b', 1],
    ]);
    const line = lineOf('a1 b1 b2 c1');
    const loadOf = (tenantId: string): number => load.get(tenantId) ?? 0;
    expect(line.take(loadOf)?.name).toBe('c1');
    expect(line.take(loadOf)?.name).toBe('b1');
    load.set('b', 3);
    expect(line.take(loadOf)?.name).toBe('a1');
  });

  it('passes over a tenant that may have no more', () => {
    const line = lineOf('a1 a2 b1');
    const loadOf = (tenantId: string): number => (tenantId === 'a' ? Number.POSITIVE_INFINITY : 0);
    expect(namesTaken(line, loadOf)).toBe('b1');
    expect([line.length, line.lengthOf('a'), line.lengthOf('b')]).toEqual([2, 2, 0]);
  });

  it('lets callers leave, once', () => {
    const line = new WaitingLine<Caller>();
    const caller = { tenantId: 'a', name: 'a1' };
    line.join(caller);
    line.join({ tenantId: 'a', name: 'a2' });
    expect(line.leave(caller)).toBe(true);
    expect(line.leave(caller)).toBe(false);
    expect(namesTaken(line)).toBe('a2');
    expect(line.leave(caller)).toBe(false);
  });

  it('empties itself', () => {
    const line = lineOf('a1 b1 a2');
    expect(line.clear().map(({ name }) => name)).toEqual(['a1', 'a2', 'b1']);
    expect(line.length).toBe(0);
    expect(line.take(noLoad)).toBeUndefined();
  });
});
