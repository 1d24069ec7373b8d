/** Who may import whom. An entry of `mayImport` is a layer or, where only one member is meant, a package. */
export const LAYERS = {
  domain: { members: ['domain'], mayImport: [] },
  pure: { members: ['contract', 'sql'], mayImport: ['domain'] },
  platform: { members: ['config', 'telemetry'], mayImport: ['domain'] },
  adapter: {
    members: ['catalog', 'object-store', 'queue', 'engine', 'auth'],
    mayImport: ['domain', 'pure', 'platform'],
  },
  kit: { members: ['http'], mayImport: ['domain', 'pure', 'platform', '@millrace/auth'] },
  assembly: { members: ['runtime'], mayImport: ['domain', 'pure', 'platform', 'adapter', 'kit'] },
  app: {
    members: ['gateway', 'query-service', 'convert-worker', 'maintenance-worker'],
    mayImport: ['domain', 'pure', 'platform', 'adapter', 'kit', 'assembly'],
  },
  launcher: {
    members: ['standalone'],
    mayImport: ['domain', 'pure', 'platform', 'adapter', 'kit', 'assembly', 'app'],
  },
  client: { members: ['cli', 'console'], mayImport: ['domain', '@millrace/contract'] },
  test: {
    members: ['testing'],
    mayImport: ['domain', 'pure', 'platform', 'adapter', 'kit', 'assembly', 'app', 'launcher', 'client'],
  },
};

/** Only spec files import it; no package declares it, for that would be a circle in the graph. */
export const TESTING = '@millrace/testing';

/** The layer whose member this package is, or undefined. */
export function layerOf(packageName) {
  const member = packageName.replace('@millrace/', '');
  return Object.keys(LAYERS).find((layer) => LAYERS[layer].members.includes(member));
}

/** Whether the layer table lets `from` import `to`; both are package names. */
export function mayImport(from, to) {
  const allowed = LAYERS[layerOf(from)]?.mayImport ?? [];
  return allowed.includes(layerOf(to)) || allowed.includes(to);
}
