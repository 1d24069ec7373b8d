import { describe, expect, it } from '@jest/globals';
import { importsOf, packageOf } from './imports.mjs';
import { findBreaches } from './rules.mjs';

interface Part {
  readonly name: string;
  readonly layer: string;
  readonly parent?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly exports?: Record<string, string>;
  /** File below the package's folder → what it imports. */
  readonly files?: Record<string, string[]>;
}

const packageFrom = ({ name, layer, parent = 'libs', files = {}, exports = { '.': '' }, ...rest }: Part) => ({
  folder: `${parent}/${name}`,
  manifest: { name: `@millrace/${name}`, exports, nx: { tags: [`layer:${layer}`] }, ...rest },
  files: Object.entries(files).map(([path, imports]) => ({
    path: `${parent}/${name}/${path}`,
    isTest: path.endsWith('.spec.ts') || path.startsWith('test/'),
    imports,
  })),
});

interface Change {
  readonly edges?: Record<string, string[]>;
  readonly looseFiles?: { path: string; isTest: boolean; imports: string[] }[];
}

/** A workspace whose graph is what Nx makes of the declared dependencies, unless `change` says otherwise. */
function workspaceOf(parts: Part[], change: Change = {}) {
  const packages = parts.map(packageFrom);
  const entries = packages.map(({ manifest }) => [manifest.name, Object.keys(manifest.dependencies ?? {})] as const);
  return {
    rootManifest: { devDependencies: { '@jest/globals': '30.0.0', 'fast-check': '4.0.0' } },
    packages,
    looseFiles: change.looseFiles ?? [],
    graph: {
      nodes: Object.fromEntries(packages.map(({ manifest }) => [manifest.name, { tags: manifest.nx.tags }])),
      edges: change.edges ?? Object.fromEntries(entries),
    },
    peersOf: (name: string) => (name === 'typeorm' ? ['pg', 'redis'] : []),
  };
}

const domain: Part = { name: 'domain', layer: 'domain' };
const testing: Part = { name: 'testing', layer: 'test', exports: { '.': '', './suite': '' } };
const OURS = { '@millrace/domain': '*' };

const catalog = (change: Partial<Part> = {}): Part => ({
  name: 'catalog',
  layer: 'adapter',
  dependencies: { ...OURS, typeorm: '1.1.1', pg: '8.0.0' },
  files: { 'src/index.ts': ['./a.js', '@millrace/domain', 'typeorm', 'node:fs'] },
  ...change,
});

/** The breaches of a house of domain, testing and the given parts. */
const breachesOf = (parts: Part[], change?: Change) => findBreaches(workspaceOf([domain, testing, ...parts], change));

describe('boundaries', () => {
  it('finds nothing in a house in order, peers of a used package included', () => {
    expect(breachesOf([catalog()])).toEqual([]);
  });

  it('reads every way of naming a module', () => {
    // In a variable, so that the check does not take this text for an import of its own.
    const resolved = '@scope/f/main';
    const source = `
      import a from 'a'; import type { B } from '@scope/b'; export * from './c.js'; import 'd/deep';
      const e = await import('e'); const f = createRequire(import.meta.url).resolve(${JSON.stringify(resolved)});
      // import 'comment'`;
    expect(importsOf(source)).toEqual(['a', '@scope/b', './c.js', 'd/deep', 'e', resolved]);
    expect(['d/deep', '@scope/f/main', 'node:fs', 'fs/promises', './c.js'].map(packageOf)).toEqual([
      'd',
      '@scope/f',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['domain', 'domain', 'contract', 'pure'],
    ['sql', 'pure', 'contract', 'pure'],
    ['config', 'platform', 'telemetry', 'platform'],
    ['catalog', 'adapter', 'queue', 'adapter'],
    ['http', 'kit', 'catalog', 'adapter'],
    ['gateway', 'app', 'query-service', 'app'],
    ['cli', 'client', 'sql', 'pure'],
  ])('%s (%s) may not import %s (%s)', (name, layer, other, otherLayer) => {
    const dependencies = { [`@millrace/${other}`]: '*' };
    const from: Part = { name, layer, dependencies, files: { 'src/a.ts': [`@millrace/${other}`] } };
    const breaches = findBreaches(workspaceOf([from, { name: other, layer: otherLayer }]));
    expect(breaches).toEqual([expect.stringContaining(`libs/${name}/src/a.ts: imports @millrace/${other}. Layer`)]);
  });

  it.each([
    ['http', 'kit', 'auth', 'adapter'],
    ['gateway', 'app', 'http', 'kit'],
    ['standalone', 'launcher', 'gateway', 'app'],
    ['cli', 'client', 'contract', 'pure'],
  ])('%s (%s) may import %s (%s)', (name, layer, other, otherLayer) => {
    const dependencies = { [`@millrace/${other}`]: '*' };
    const from: Part = { name, layer, dependencies, files: { 'src/a.ts': [`@millrace/${other}`] } };
    expect(findBreaches(workspaceOf([from, { name: other, layer: otherLayer }]))).toEqual([]);
  });

  it('refuses an edge of the graph that the layers forbid, even without an import', () => {
    const breaches = breachesOf([catalog(), { name: 'queue', layer: 'adapter' }], {
      edges: { '@millrace/catalog': ['@millrace/domain', '@millrace/queue'] },
    });
    expect(breaches).toEqual([expect.stringContaining('libs/catalog/package.json: depends on @millrace/queue.')]);
  });

  it('fails on a partial graph', () => {
    const lost = breachesOf([catalog()], { edges: {} });
    expect(lost).toEqual([
      expect.stringContaining('no edge @millrace/catalog → @millrace/domain. The graph is partial'),
    ]);
    const workspace = workspaceOf([domain, catalog()]);
    delete workspace.graph.nodes['@millrace/catalog'];
    expect(findBreaches(workspace)).toEqual([expect.stringContaining('is not in the Nx graph')]);
  });

  it('wants exactly the layer tag of the table', () => {
    expect(breachesOf([catalog({ layer: 'app' })])).toEqual([expect.stringContaining('"layer:adapter"')]);
    expect(breachesOf([{ name: 'stranger', layer: 'pure' }])).toEqual([expect.stringContaining('stands in no layer')]);
  });

  it('wants declared dependencies to equal imports', () => {
    const files = { 'src/index.ts': ['@millrace/domain', 'zod'] };
    expect(breachesOf([catalog({ files })])).toEqual([
      expect.stringContaining('libs/catalog/src/index.ts: imports zod. Add it to "dependencies"'),
      expect.stringContaining('declares typeorm, which no built file imports'),
      expect.stringContaining('declares pg, which no built file imports'),
    ]);
  });

  it('lets specs use testing and root devDependencies, and nothing undeclared', () => {
    const spec = ['@jest/globals', 'fast-check', '@millrace/testing/suite', '@millrace/domain'];
    const files = { ...catalog().files, 'src/a.int.spec.ts': spec };
    expect(breachesOf([catalog({ files })])).toEqual([]);
    expect(breachesOf([catalog({ files: { ...files, 'test/help.ts': ['sinon'] } })])).toEqual([
      expect.stringContaining('libs/catalog/test/help.ts: imports sinon. Add it to "devDependencies"'),
    ]);
  });

  it('keeps testing out of what is built and declared', () => {
    const files = { ...catalog().files, 'src/b.ts': ['@millrace/testing'] };
    const edges = { '@millrace/catalog': ['@millrace/domain', '@millrace/testing'] };
    expect(breachesOf([catalog({ files })], { edges })).toEqual([expect.stringContaining('Only *.spec.ts files')]);
    expect(breachesOf([catalog({ devDependencies: { '@millrace/testing': '*' } })])).toEqual([
      expect.stringContaining('declares @millrace/testing, a circle'),
    ]);
  });

  it('refuses the inside of other packages', () => {
    const files = { 'src/a.ts': ['../../domain/src/ids.js', '@millrace/domain/dist/ids.js', 'typeorm'] };
    expect(breachesOf([catalog({ files })])).toEqual([
      expect.stringContaining('which leaves libs/catalog'),
      expect.stringContaining('@millrace/domain has no export "./dist/ids.js"'),
    ]);
    const looseFiles = [
      {
        path: 'tests/e2e/a.e2e.spec.ts',
        isTest: true,
        imports: ['../../libs/sql/src/a.js', '../../libs/sql/test/b.js', 'got'],
      },
    ];
    expect(breachesOf([], { looseFiles })).toEqual([
      expect.stringContaining('the inside of a package'),
      expect.stringContaining('"devDependencies" of the root'),
    ]);
  });

  it('wants exact versions, one per package in the whole house', () => {
    const ranged = catalog({ dependencies: { ...OURS, typeorm: '^1.1.1' } });
    expect(breachesOf([ranged])).toEqual([expect.stringContaining('typeorm@^1.1.1. Declare an exact version')]);
    const queue: Part = {
      name: 'queue',
      layer: 'adapter',
      dependencies: { typeorm: '1.0.0' },
      files: { 'src/a.ts': ['typeorm'] },
    };
    expect(breachesOf([catalog(), queue])).toEqual([
      expect.stringContaining('typeorm@1.1.1. Elsewhere it is 1.0.0'),
      expect.stringContaining('typeorm@1.0.0. Elsewhere it is 1.1.1'),
    ]);
  });
});
