import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { environmentSchema, parseEnvironment } from '@millrace/config';
import { parse } from 'yaml';
import { z } from 'zod';
import { kustomize } from '../k8s/harness/kustomize.js';
import { workloadsIn } from '../k8s/harness/manifest.js';
import { MEMORY_NEEDED } from '../k8s/harness/memory-needed.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SDK_VARIABLES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
const OURS = ['migrate', 'gateway', 'query-service', 'convert-worker', 'maintenance-worker'];
/** What a process takes beyond its drain at most (`libs/runtime`), and the second that Docker may be late. */
const CLOSE_MS = 45_000;
/** Each process: the pool, half of it again for commits that need not wait, and one that listens. */
const CONNECTIONS_PER_PROCESS = 16;

const serviceSchema = z.looseObject({
  image: z.string(),
  command: z.array(z.string()),
  user: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  tmpfs: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  volumes: z.array(z.union([z.string(), z.looseObject({ target: z.string() })])).default([]),
  restart: z.string(),
  stop_grace_period: z.string().optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  deploy: z.object({
    replicas: z.number().default(1),
    resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }),
  }),
});
const composeSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) })),
});

/** `${NAME:-default}` as it is without such a variable. */
const withDefaults = (_: unknown, value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1') : value;

describe('docker-compose.yml', () => {
  const text = readFileSync(`${ROOT}docker-compose.yml`, 'utf8');
  const { services, networks } = composeSchema.parse(parse(text, withDefaults, { merge: true }));
  const all = Object.entries(services);
  const ours = all.filter(([name]) => OURS.includes(name));
  const service = (name: string) => {
    const found = services[name];
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  const environment = (name: string) => parseEnvironment(service(name).environment);

  it('has each service of Millrace, and what they need', () => {
    expect(Object.keys(services).sort()).toEqual([...OURS, 'postgres', 'redis', 's3'].sort());
    expect(service('convert-worker').deploy.replicas).toBe(2);
  });

  it.each(ours)('%s starts a program that is there', (_, { command: [program, path = '', ...more] }) => {
    expect([program, more]).toEqual(['node', []]);
    expect(existsSync(ROOT + path.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))).toBe(true);
  });

  it.each(ours)('%s is told only what Millrace reads, and nothing that is not valid', (_, { environment: given }) => {
    const known = [...Object.keys(environmentSchema.shape), ...SDK_VARIABLES];
    expect(Object.keys(given).filter((name) => !known.includes(name))).toEqual([]);
    expect(() => parseEnvironment(given)).not.toThrow();
  });

  it('agrees on addresses and secrets', () => {
    const gateway = environment('gateway');
    expect(gateway.QUERY_SERVICE_URL).toBe(`http://query-service:${environment('query-service').PORT}`);
    expect(gateway.INTERNAL_SECRET).toBe(environment('query-service').INTERNAL_SECRET);
    const [own, postgres] = [new URL(gateway.DATABASE_URL ?? ''), service('postgres').environment];
    expect([own.hostname, own.username, own.password, own.pathname]).toEqual([
      'postgres',
      postgres['POSTGRES_USER'],
      postgres['POSTGRES_PASSWORD'],
      `/${postgres['POSTGRES_DB']}`,
    ]);
    const [worker, s3] = [service('convert-worker').environment, service('s3').environment];
    for (const name of [...SDK_VARIABLES, 'S3_BUCKET']) expect(worker[name]).toBe(s3[name]);
    const redis = service('redis');
    expect(redis.command).toContain(new URL(worker['REDIS_URL'] ?? '').password);
    expect(redis.environment['VALKEYCLI_AUTH']).toBe(new URL(worker['REDIS_URL'] ?? '').password);
    expect(environment('maintenance-worker').CONVERT_CONCURRENCY).toBe(
      environment('convert-worker').CONVERT_CONCURRENCY,
    );
  });

  it('keeps the secret between gateway and query service from the others', () => {
    const holders = ours.filter(([, { environment: given }]) => 'INTERNAL_SECRET' in given).map(([name]) => name);
    expect(holders.sort()).toEqual(['gateway', 'query-service']);
  });

  it('publishes the gateway on this machine alone, and lets nothing else out', () => {
    expect(all.filter(([, { ports }]) => ports.length > 0).map(([name]) => name)).toEqual(['gateway']);
    expect(service('gateway').ports).toEqual([`127.0.0.1:8080:${environment('gateway').PORT}`]);
    expect(networks).toEqual({ inside: { internal: true }, outside: { internal: false } });
    const outside = all.filter(([, one]) => one.networks.includes('outside')).map(([name]) => name);
    expect(outside).toEqual(['gateway']);
  });

  // That the root is read-only, without capabilities and privileges, is what the schema above asks for.
  it.each(all)('%s has bounds, writes to /tmp in memory, and is asked how it is', (name, one) => {
    expect(one.deploy.resources.limits.memory).toMatch(/^\d+[mg]$/);
    expect(one.tmpfs.every((mount) => /:size=\d+m,mode=1777$/.test(mount))).toBe(true);
    expect(one.healthcheck.test !== undefined).toBe(name !== 'migrate');
  });

  it.each(all.filter(([name]) => !OURS.includes(name)))('%s is an exact version, as nobody special', (_, one) => {
    expect(one.image).toMatch(/:\d+\.\d+/);
    expect(one.user).toMatch(/^(postgres|\d+:\d+)$/);
  });

  it('gives each instance a disk of its own, so that two conversion workers share none', () => {
    for (const name of OURS.filter((one) => one !== 'migrate')) {
      expect(service(name).volumes).toEqual([{ type: 'volume', target: '/var/lib/millrace' }]);
    }
  });

  it.each(ours)('%s may take as long to end as it does', (name, { stop_grace_period }) => {
    const { DRAIN_DELAY_MS, DRAIN_MS } = environment(name);
    expect(Number.parseInt(stop_grace_period ?? '10s', 10) * 1_000).toBeGreaterThanOrEqual(
      DRAIN_DELAY_MS + DRAIN_MS + CLOSE_MS,
    );
  });

  it.each(Object.entries(MEMORY_NEEDED))('%s has room in memory for all that it may do at once', (name, needed) => {
    const [, number, unit] = /^(\d+)([mg])$/.exec(service(name).deploy.resources.limits.memory) ?? [];
    const limit = Number(number) * (unit === 'g' ? 1024 ** 3 : 1024 ** 2);
    expect(limit).toBeGreaterThanOrEqual(needed(environment(name)));
  });

  it('starts services after the migrations, and those after Postgres', () => {
    expect(service('migrate').depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    for (const name of OURS.filter((one) => one !== 'migrate')) {
      expect(service(name).depends_on).toEqual({ migrate: { condition: 'service_completed_successfully' } });
    }
  });

  it('lets Postgres have as many connections as all of them open', () => {
    const processes = ours.reduce((sum, [, { deploy }]) => sum + deploy.replicas, 0);
    const [, allowed] = /max_connections=(\d+)/.exec(service('postgres').command.join(' ')) ?? [];
    expect(Number(allowed)).toBeGreaterThan(processes * CONNECTIONS_PER_PROCESS);
  });

  it('has a queue that throws nothing away for room, here and in the overlay for development', () => {
    const redis = workloadsIn(kustomize('dev')).find(({ name }) => name === 'redis');
    for (const args of [service('redis').command, redis?.container.args ?? []]) {
      expect(args.join(' ')).toMatch(/ --maxmemory \d+mb --maxmemory-policy noeviction$/);
    }
  });

  it('is no other version of servers than the overlay for development', () => {
    const images = workloadsIn(kustomize('dev')).map(({ name, container }) => [name, container.image] as const);
    for (const name of ['postgres', 'redis', 's3']) {
      expect(Object.fromEntries(images)[name]).toBe(service(name).image);
    }
  });
});
