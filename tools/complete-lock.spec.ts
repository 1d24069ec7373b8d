import { describe, expect, it } from '@jest/globals';
import { completeLock, missingOptionals, platformOf } from './complete-lock.mjs';

const lock = {
  packages: {
    '': { name: 'root' },
    'node_modules/tool': {
      version: '2.0.0',
      dev: true,
      optionalDependencies: {
        '@tool/darwin-arm64': '2.0.0',
        '@tool/linux-x64-musl': '2.0.0',
        '@tool/linux-x64-gnu': '2.0.0',
      },
    },
    'node_modules/tool/node_modules/@tool/linux-x64-gnu': { version: '2.0.0', integrity: 'sha512-x' },
  },
};

describe('complete-lock', () => {
  it('finds the optional packages without an entry, nested ones counted as there', () => {
    expect(missingOptionals(lock).map(({ name }) => name)).toEqual(['@tool/darwin-arm64', '@tool/linux-x64-musl']);
  });

  it('adds them in the order of places and leaves the rest alone', () => {
    const complete = completeLock(lock);
    expect(missingOptionals(complete)).toEqual([]);
    expect(complete.packages).toMatchObject(lock.packages);
    expect(Object.keys(complete.packages)[1]).toBe('node_modules/@tool/darwin-arm64');
    expect(complete.packages['node_modules/@tool/linux-x64-musl']).toEqual({
      version: '2.0.0',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    });
  });

  it.each([
    ['@a/binding-linux-arm-musleabihf', { cpu: ['arm'], libc: ['musl'], os: ['linux'] }],
    ['@a/core-win32-arm64-msvc', { cpu: ['arm64'], libc: undefined, os: ['win32'] }],
    ['@a/binding-linux-riscv64-gnu', { cpu: ['riscv64'], libc: ['glibc'], os: ['linux'] }],
  ])('reads the platform of %s', (name, platform) => {
    expect(platformOf(name)).toEqual(platform);
  });

  it('refuses what it can not know', () => {
    expect(() => platformOf('fsevents')).toThrow('by hand');
    const ranged = { packages: { 'node_modules/a': { optionalDependencies: { 'b-linux-x64': '^1.0.0' } } } };
    expect(() => completeLock(ranged)).toThrow('no exact version');
  });
});
