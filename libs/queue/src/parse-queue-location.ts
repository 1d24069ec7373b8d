import type { QueueLocation, RedisLocation, RedisNode, RedisTopology } from './queue-location.js';

export interface QueueSettings {
  /** Left out, the queue lives in Postgres. */
  readonly REDIS_URL?: string | undefined;
  readonly databaseUrl: string;
}

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;

/** The parts of a REDIS_URL. No parser of URLs takes several hosts. Everything up to the last `@` is name and password. */
const FORM = new RegExp(
  '^redis(?<tls>s?)(?:\\+(?<topology>sentinel|cluster))?://' +
    '(?:(?<username>[^:@/]*)(?::(?<password>.*))?@)?(?<hosts>[^@/?#]+)(?:/(?<path>[^?#]*))?(?:\\?(?<query>[^#]*))?$',
);

/**
 * Where the queue lives.
 *
 * @throws Error when REDIS_URL is of none of the known forms; it names what is wrong and never quotes the password
 */
export function parseQueueLocation({ REDIS_URL, databaseUrl }: QueueSettings): QueueLocation {
  return REDIS_URL === undefined ? { kind: 'postgres', databaseUrl } : parseRedisUrl(REDIS_URL);
}

function parseRedisUrl(url: string): RedisLocation {
  const parts = FORM.exec(url)?.groups;
  if (!parts) {
    throw malformed(
      'it must be redis://host:port, rediss://host:port, redis+sentinel://host:port,…/name or ' +
        'redis+cluster://host:port,…',
    );
  }
  const query = new URLSearchParams(parts['query']);
  const { username, password } = parts;
  return {
    kind: 'redis',
    topology: parseTopology({ ...parts, query }),
    ...(username && { username: decode(username) }),
    ...(password && { password: decode(password) }),
    tls: parts['tls'] === 's',
  };
}

interface Parts {
  readonly [name: string]: unknown;
  readonly topology?: string;
  readonly hosts?: string;
  readonly path?: string;
  readonly query: URLSearchParams;
}

function parseTopology({ topology, hosts = '', path = '', query }: Parts): RedisTopology {
  for (const name of query.keys()) {
    if (topology !== 'sentinel' || name !== 'sentinel_password') throw malformed(`it has an unknown part, ?${name}`);
  }
  const nodes = hosts.split(',').map((host) => parseNode(host, topology === 'sentinel' ? SENTINEL_PORT : REDIS_PORT));
  switch (topology) {
    case 'cluster':
      if (path !== '') throw malformed('a cluster has no databases, so nothing may follow its nodes');
      return { type: 'cluster', nodes };
    case 'sentinel':
      return { type: 'sentinel', sentinels: nodes, masterName: parseMasterName(path), ...sentinelPassword(query) };
    default:
      return { type: 'server', node: onlyOne(nodes), database: parseDatabase(path) };
  }
}

function parseNode(host: string, defaultPort: number): RedisNode {
  const parsed = URL.parse(`redis://${host}`);
  if (!parsed?.hostname || parsed.pathname !== '') throw malformed('a host or a port in it is not valid');
  return {
    // An IPv6 address stands in brackets in a URL, and only there.
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? defaultPort : Number(parsed.port),
  };
}

function onlyOne([node, ...others]: readonly RedisNode[]): RedisNode {
  if (!node || others.length > 0) throw malformed('several hosts need redis+sentinel:// or redis+cluster://');
  return node;
}

function parseDatabase(path: string): number {
  if (!/^\d{0,4}$/.test(path)) throw malformed('what follows the host must be the number of a database');
  return Number(path);
}

function parseMasterName(path: string): string {
  if (!/^[\w.-]+$/.test(path))
    throw malformed('the name of the master must follow the sentinels, as in …:26379/mymaster');
  return path;
}

function sentinelPassword(query: URLSearchParams): { sentinelPassword?: string } {
  const password = query.get('sentinel_password');
  return password === null ? {} : { sentinelPassword: password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('the name or the password in it is not percent-encoded');
  }
}

function malformed(what: string): Error {
  return new Error(`REDIS_URL is not valid: ${what}.`);
}
