import { describe, expect, it } from '@jest/globals';
import { isInstalled } from './hidden-lock.mjs';

const installed = {
  packages: {
    'node_modules/tool': { version: '2.0.0' },
    'node_modules/tool/node_modules/part': { version: '1.0.0' },
    'node_modules/@tool/linux': { version: '2.0.0', optional: true },
  },
};

const withWanted = (place: string, entry: object): object => ({
  packages: { '': { name: 'root' }, ...installed.packages, [place]: entry },
});

describe('hidden-lock', () => {
  it.each([
    ['the packages that are there', '', { name: 'root' }],
    ['an optional one of another platform', 'node_modules/@tool/darwin', { version: '2.0.0', optional: true }],
    ['a package of the workspace', 'node_modules/@millrace/sql', { resolved: 'libs/sql', link: true }],
    ['the folder of one', 'libs/sql', { version: '0.1.0' }],
  ])('takes as installed %s', (_, place, entry) => {
    expect(isInstalled(withWanted(place, entry), installed)).toBe(true);
  });

  it.each([
    ['a package that is new', 'node_modules/new', { version: '1.0.0' }],
    ['a new one within another', 'node_modules/tool/node_modules/new', { version: '1.0.0', dev: true }],
    ['another version', 'node_modules/tool', { version: '2.0.1' }],
    ['another version of an optional one', 'node_modules/@tool/linux', { version: '2.0.1', optional: true }],
  ])('does not take as installed %s', (_, place, entry) => {
    expect(isInstalled(withWanted(place, entry), installed)).toBe(false);
  });

  it('takes nothing as installed when a lock can not be read', () => {
    expect(isInstalled({}, installed)).toBe(false);
    expect(isInstalled(withWanted('', {}), {})).toBe(false);
  });
});
