import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { environmentSchema, parseEnvironment } from '@millrace/config';
import { DEFAULT_TENANT_LIMITS } from '@millrace/domain';
import { environmentOf } from './harness/environment-of.js';
import { kustomize } from './harness/kustomize.js';
import { isOurs, ofKind, theOne, type Workload, workloadsIn } from './harness/manifest.js';
import { MEMORY_NEEDED } from './harness/memory-needed.js';
import { bytesOf } from './harness/quantity.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the AWS SDK reads by itself. */
const SDK_VARIABLES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
/** What a process takes beyond its drain at most (`libs/runtime`), and the second that Kubernetes may be late. */
const CLOSE_MS = 45_000;

describe.each(['dev', 'production'])('pods of the overlay %s', (overlay) => {
  const manifests = kustomize(overlay);
  const workloads = workloadsIn(manifests);
  const ours = workloads.filter(isOurs);
  const services = ours.filter(({ manifest }) => manifest.kind === 'Deployment');
  const named = (name: string): Workload => {
    const found = workloads.find((workload) => workload.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  const environment = (name: string) => parseEnvironment(environmentOf(named(name), manifests));
  const each = (list: readonly Workload[]) => list.map((workload) => [workload.name, workload] as const);

  it('has a Deployment for each service and a Job for the migrations', () => {
    expect(services.map(({ name }) => name).sort()).toEqual([
      'convert-worker',
      'gateway',
      'maintenance-worker',
      'query-service',
    ]);
    expect(ours.filter(({ manifest }) => manifest.kind === 'Job').map(({ name }) => name)).toEqual(['migrate']);
  });

  it.each(each(workloads))('%s runs as an ordinary user that can become nobody else', (_, { pod, container }) => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod).not.toHaveProperty('hostNetwork');
    expect(pod).not.toHaveProperty('hostPID');
    expect(pod.volumes.filter((volume) => 'hostPath' in volume)).toEqual([]);
  });

  it.each(each(workloads))('%s has no token of Kubernetes, and no variables named after services', (_, { pod }) => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.enableServiceLinks).toBe(false);
  });

  it.each(each(ours))('%s is the user of the image, with an account of its own', (name, { pod }) => {
    expect(pod.securityContext).toMatchObject({ runAsUser: 10_001, runAsGroup: 10_001, fsGroup: 10_001 });
    expect(pod.serviceAccountName).toBe(name);
    expect(theOne(manifests, 'ServiceAccount', name)).toMatchObject({ automountServiceAccountToken: false });
  });

  it.each(each(ours))('%s writes into its data folder and /tmp, each with a bound', (_, { pod, container }) => {
    const mounts = container.volumeMounts.map(({ name, mountPath }) => [name, mountPath]);
    expect(mounts).toEqual([
      ['data', '/var/lib/millrace'],
      ['tmp', '/tmp'],
    ]);
    const bounds = pod.volumes.map(({ name, emptyDir, ephemeral }) => [name, emptyDir ?? ephemeral]);
    expect(bounds).toEqual([
      ['data', expect.anything()],
      ['tmp', { sizeLimit: expect.any(String) }],
    ]);
    expect(JSON.stringify(bounds)).toMatch(/"sizeLimit"|"storage"/);
  });

  it.each(each(ours))('%s starts a program that is there, through the entry point of the image', (_, { container }) => {
    expect(container.command).toBeUndefined();
    const [program, path = '', ...more] = container.args;
    expect([program, more]).toEqual(['node', []]);
    expect(existsSync(ROOT + path.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))).toBe(true);
  });

  it.each(each(ours))('%s is told only what Millrace reads, and nothing that is not valid', (_, workload) => {
    const variables = environmentOf(workload, manifests);
    const known = [...Object.keys(environmentSchema.shape), ...SDK_VARIABLES];
    expect(Object.keys(variables).filter((name) => !known.includes(name))).toEqual([]);
    expect(() => parseEnvironment(variables)).not.toThrow();
  });

  it.each(each(ours))('%s gets the secrets that it needs and no others', (name, { container }) => {
    const secrets = container.env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
    expect(new Set(secrets.map((ref) => ref.name.replace(/-[a-z0-9]{10}$/, '')))).toEqual(
      new Set(['millrace-secrets']),
    );
    const needed: Record<string, string[]> = {
      gateway: ['DATABASE_URL', 'REDIS_URL', 'INTERNAL_SECRET'],
      'query-service': ['DATABASE_URL', 'REDIS_URL', 'INTERNAL_SECRET'],
      'convert-worker': ['DATABASE_URL', 'REDIS_URL'],
      'maintenance-worker': ['DATABASE_URL', 'REDIS_URL'],
      migrate: ['DATABASE_URL', 'REDIS_URL'],
    };
    const required = secrets.filter(({ optional }) => !optional).map(({ key }) => key);
    expect(required.sort()).toEqual(needed[name]?.sort());
    const optional = secrets.filter((ref) => ref.optional).map(({ key }) => key);
    expect(optional).toEqual(name === 'migrate' ? ['BOOTSTRAP_API_KEY'] : SDK_VARIABLES);
  });

  it.each(each(services))('%s serves the ports that it was told to', (name, { container }) => {
    const { PORT } = environment(name);
    const ports = Object.fromEntries(container.ports.map((port) => [port.name, port.containerPort]));
    const hasHttp = name === 'gateway' || name === 'query-service';
    expect(ports).toEqual({ ops: environment(name).OPS_PORT, ...(hasHttp && { http: PORT }) });
    expect(theOne(manifests, 'Service', name)['spec']).toMatchObject({
      selector: { 'app.kubernetes.io/name': name },
      ports: [
        { name: 'ops', port: 9_090, targetPort: 'ops' },
        ...(hasHttp ? [{ name: 'http', port: PORT, targetPort: 'http' }] : []),
      ],
    });
  });

  it('lets the gateway find the query service', () => {
    const { PORT } = environment('query-service');
    expect(environment('gateway').QUERY_SERVICE_URL).toBe(`http://query-service:${PORT}`);
  });

  it('counts conversions of a worker the same where they run and where workers are asked for', () => {
    const [worker, asker] = [environment('convert-worker'), environment('maintenance-worker')];
    expect(asker.CONVERT_CONCURRENCY).toBe(worker.CONVERT_CONCURRENCY);
  });

  it.each(each(services))('%s is asked at its operations door whether it lives, and is ready', (_, { container }) => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    expect(startupProbe?.httpGet).toEqual({ path: '/livez', port: 'ops' });
    expect(livenessProbe?.httpGet).toEqual({ path: '/livez', port: 'ops' });
    expect(readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'ops' } });
    // A look at dependencies takes 2 s at most.
    expect(Number(readinessProbe?.['timeoutSeconds'])).toBeGreaterThan(2);
  });

  it.each(each(services))('%s may take as long to end as it does', (name, { pod, container }) => {
    const { DRAIN_DELAY_MS, DRAIN_MS } = environment(name);
    expect(container).not.toHaveProperty('lifecycle');
    expect((pod.terminationGracePeriodSeconds ?? 30) * 1_000).toBeGreaterThanOrEqual(
      DRAIN_DELAY_MS + DRAIN_MS + CLOSE_MS,
    );
  });

  it.each(['gateway', 'query-service'])('%s serves on until it is asked no more', (name) => {
    const { periodSeconds, failureThreshold } = named(name).container.readinessProbe as Record<string, number>;
    const noticedMs = Number(periodSeconds) * Number(failureThreshold) * 1_000;
    expect(environment(name).DRAIN_DELAY_MS).toBeGreaterThanOrEqual(noticedMs);
  });

  it('replaces pods by others that are ready before they go', () => {
    const strategies = services.map(({ manifest }) => manifest['spec'] as Record<string, unknown>);
    for (const { strategy } of strategies) {
      expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    }
  });

  it.each(each(services))('%s is spread over machines and zones', (name, { pod }) => {
    const keys = pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
    expect(keys).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
    for (const { labelSelector } of pod.topologySpreadConstraints) {
      expect(labelSelector.matchLabels).toEqual({ 'app.kubernetes.io/name': name });
    }
  });

  it.each(each(workloads))('%s has requests, and a limit on memory', (_, { container: { resources } }) => {
    expect(Object.keys(resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory']));
    expect(bytesOf(resources.limits['memory'])).toBeGreaterThanOrEqual(bytesOf(resources.requests['memory']));
  });

  it.each(Object.entries(MEMORY_NEEDED))('%s has room in memory for all that it may do at once', (name, needed) => {
    expect(bytesOf(named(name).container.resources.limits['memory'])).toBeGreaterThanOrEqual(needed(environment(name)));
  });

  it('has room on disk for all that a query service may keep at once', () => {
    const { name, pod } = named('query-service');
    const { CACHE_BYTES_MAX, DOWNLOAD_CHILDREN_MAX, QUERY_SPILL_BYTES_MAX, ...rest } = environment(name);
    const statements = Number(rest.QUERY_CHILDREN_MAX) + Number(rest.QUERY_BACKGROUND_CONCURRENCY);
    const spilt = (statements + DOWNLOAD_CHILDREN_MAX) * QUERY_SPILL_BYTES_MAX;
    const results = statements * DEFAULT_TENANT_LIMITS.resultBytesMax;
    const [, size] = /"(?:sizeLimit|storage)":"(\w+)"/.exec(JSON.stringify(pod.volumes[0])) ?? [];
    expect(bytesOf(size)).toBeGreaterThanOrEqual(CACHE_BYTES_MAX + spilt + results);
  });

  it('refuses other pods that could do more', () => {
    const [namespace] = ofKind(manifests, 'Namespace');
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });
});

describe('what the overlay for production leaves to its reader', () => {
  const manifests = kustomize('production');

  it('holds no secret', () => {
    expect(ofKind(manifests, 'Secret')).toEqual([]);
  });

  it('gives query services and conversion workers a disk of their own', () => {
    for (const name of ['query-service', 'convert-worker']) {
      const [data] = workloadsIn(manifests).find((workload) => workload.name === name)?.pod.volumes ?? [];
      expect(data).toEqual({ name: 'data', ephemeral: expect.anything() });
    }
  });

  it('reserves all the memory that it lets services take', () => {
    for (const { container } of workloadsIn(manifests)) {
      expect(container.resources.requests['memory']).toBe(container.resources.limits['memory']);
    }
  });
});
