import { describe, expect, it } from '@jest/globals';
import { kustomize } from './harness/kustomize.js';
import { isOurs, workloadsIn } from './harness/manifest.js';
import { type End, Network } from './harness/network.js';

const SERVICES = ['gateway', 'query-service', 'convert-worker', 'maintenance-worker'];
const OTHERS: Readonly<Record<string, End>> = {
  ingress: { namespace: { 'millrace/is-ingress': 'true' }, pod: { app: 'proxy' } },
  monitoring: { namespace: { 'millrace/is-monitoring': 'true' }, pod: { app: 'prometheus' } },
  keda: { namespace: { 'kubernetes.io/metadata.name': 'keda' }, pod: { app: 'keda-operator' } },
  'another namespace': { namespace: { 'kubernetes.io/metadata.name': 'default' }, pod: { app: 'anything' } },
  'a pod of nobody': { pod: { app: 'shell' } },
  collector: { namespace: { team: 'observability' }, pod: { 'app.kubernetes.io/name': 'opentelemetry-collector' } },
  dns: { namespace: { 'kubernetes.io/metadata.name': 'kube-system' }, pod: { 'k8s-app': 'kube-dns' } },
  internet: { address: '203.0.113.7' },
  'metadata of the cloud': { address: '169.254.169.254' },
  'another machine': { address: '10.0.7.7' },
};

describe.each(['dev', 'production'])('network of the overlay %s', (overlay) => {
  const manifests = kustomize(overlay);
  const network = new Network(manifests);
  const pods = workloadsIn(manifests).map(({ name, labels }) => [name, { pod: labels }] as const);
  const ends: Readonly<Record<string, End>> = { ...OTHERS, ...Object.fromEntries(pods) };
  const ours = workloadsIn(manifests)
    .filter(isOurs)
    .map(({ name }) => name);
  const end = (name: string): End => {
    const found = ends[name];
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  /** Who of all may open a connection to this port of this one. */
  const whoReaches = (name: string, port: number): string[] =>
    Object.keys(ends).filter((from) => from !== name && network.allows({ from: end(from), to: end(name), port }));
  /** Whom of all this one may open a connection to, on any port that somebody of ours listens on. */
  const whomReaches = (name: string): string[] =>
    [53, 443, 4_318, 5_432, 6_379, 8_080, 8_081, 8_333, 9_090].flatMap((port) =>
      Object.keys(ends)
        .filter((to) => to !== name && network.allows({ from: end(name), to: end(to), port }))
        .map((to) => `${to}:${port}`),
    );

  it('lets the way in reach the gateway, and nothing else', () => {
    expect(whoReaches('gateway', 8_080)).toEqual(['ingress']);
    for (const name of ours.filter((one) => one !== 'gateway')) expect(whoReaches(name, 8_080)).toEqual([]);
  });

  it('lets the gateway reach the query service, and nobody else', () => {
    expect(whoReaches('query-service', 8_081)).toEqual(['gateway']);
  });

  it('opens operations doors to monitoring, and that of maintenance workers to KEDA', () => {
    for (const name of SERVICES) {
      expect(whoReaches(name, 9_090)).toEqual(name === 'maintenance-worker' ? ['monitoring', 'keda'] : ['monitoring']);
    }
  });

  const stores = {
    dev: ['postgres:5432', 'redis:6379', 's3:8333'],
    production: ['internet:443', 'another machine:5432', 'another machine:6379'],
  }[overlay];
  const everybody = ['dns:53', 'collector:4318', ...(stores ?? [])];
  const reachable: Readonly<Record<string, readonly string[]>> = {
    gateway: [...everybody, 'query-service:8081'],
    'query-service': everybody,
    'convert-worker': everybody,
    'maintenance-worker': everybody,
    migrate: ['dns:53', overlay === 'dev' ? 'postgres:5432' : 'another machine:5432'],
  };

  it.each(Object.entries(reachable))('lets %s reach what it needs, and nothing else', (name, wanted) => {
    expect(whomReaches(name).toSorted()).toEqual(wanted.toSorted());
  });

  it('lets each of them ask for names, also by UDP', () => {
    for (const name of ours) {
      expect(network.allows({ from: end(name), to: end('dns'), port: 53, protocol: 'UDP' })).toBe(true);
    }
  });
});
