import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importsOf } from './imports.mjs';

const GRAPH_MS_MAX = 120_000;
const SOURCE_FILE = /\.(ts|tsx|mts|js|mjs)$/;
/** Folders outside of packages whose files may import root devDependencies and any package. */
const LOOSE_FOLDERS = ['tests', 'tools', 'bench'];

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const foldersIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];

/** A file of a package that its build leaves out: specs and what lies in its `test` folder. */
export const isTestFile = (path) => path.endsWith('.spec.ts') || path.includes('/test/');

/** Source files below a folder as `{ path, isTest, imports }`, the path relative to the root. */
function readSources(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SOURCE_FILE.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !/(^|\/)(node_modules|dist|fixtures)\//.test(path))
    .sort()
    .map((path) => ({
      path,
      isTest: isTestFile(path),
      imports: importsOf(readFileSync(join(root, path), 'utf8')),
    }));
}

function readPackages(root) {
  return ['libs', 'apps'].flatMap((parent) =>
    foldersIn(join(root, parent)).map((name) => {
      const folder = `${parent}/${name}`;
      const file = join(root, folder, 'package.json');
      const manifest = existsSync(file) ? readJson(file) : undefined;
      return { folder, manifest, files: readSources(root, folder) };
    }),
  );
}

/** The Nx graph, computed anew: `{ nodes: name → { tags, root }, edges: name → [names] }`. */
function readGraph(root) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-graph-'));
  try {
    const file = join(folder, 'graph.json');
    const result = spawnSync(join(root, 'node_modules/.bin/nx'), ['graph', `--file=${file}`], {
      cwd: root,
      encoding: 'utf8',
      timeout: GRAPH_MS_MAX,
      env: { ...process.env, NX_DAEMON: 'false', NX_CACHE_PROJECT_GRAPH: 'false', NX_NO_CLOUD: 'true' },
    });
    if (result.status !== 0) throw new Error(`nx graph failed.\n${result.stdout}${result.stderr}`);
    const { nodes, dependencies } = readJson(file).graph;
    return {
      nodes: mapValues(nodes, ({ data }) => ({ tags: data.tags ?? [], root: data.root })),
      edges: mapValues(dependencies, (list) => [...new Set(list.map((edge) => edge.target))]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/** The names of the packages that `name`, as installed, expects its user to bring. */
function peersOf(root, name) {
  const file = join(root, 'node_modules', name, 'package.json');
  return existsSync(file) ? Object.keys(readJson(file).peerDependencies ?? {}) : [];
}

/** Everything the rules look at. */
export function readWorkspace(root) {
  return {
    rootManifest: readJson(join(root, 'package.json')),
    packages: readPackages(root),
    looseFiles: LOOSE_FOLDERS.flatMap((folder) => readSources(root, folder)),
    graph: readGraph(root),
    peersOf: (name) => peersOf(root, name),
  };
}
