import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { environmentSchema, parseEnvironment } from '@millrace/config';
import { DEFAULT_TENANT_LIMITS } from '@millrace/domain';
import { parse } from 'yaml';
import { z } from 'zod';
import { environmentOf } from './harness/environment-of.js';
import { kustomize } from './harness/kustomize.js';
import { isOurs, ofKind, theOne, workloadsIn } from './harness/manifest.js';

const EXAMPLE = new URL('../../k8s/overlays/production/secret.example.yaml', import.meta.url);
const secretSchema = z.object({
  metadata: z.object({ name: z.string() }),
  stringData: z.record(z.string(), z.string()),
});

describe.each(['dev', 'production'])('installing the overlay %s', (overlay) => {
  const manifests = kustomize(overlay);

  it('puts everything into its namespace', () => {
    const namespaces = new Set(
      manifests.filter(({ kind }) => kind !== 'Namespace').map(({ metadata }) => metadata.namespace),
    );
    expect([...namespaces]).toEqual([ofKind(manifests, 'Namespace')[0]?.metadata.name]);
  });

  it('runs one version of one image', () => {
    const ours = workloadsIn(manifests).filter(isOurs);
    expect(new Set(ours.map(({ container }) => container.image)).size).toBe(1);
    for (const { container } of workloadsIn(manifests)) expect(container.image).toMatch(/:[\w.-]+$/);
  });

  it('gives settings another name when they change, so that pods are replaced', () => {
    const [settings, ...others] = ofKind(manifests, 'ConfigMap').filter(({ metadata }) =>
      metadata.name.startsWith('millrace-settings'),
    );
    expect(others).toEqual([]);
    expect(settings?.metadata.name).toMatch(/^millrace-settings-[a-z0-9]{10}$/);
  });

  it('can apply what the migrations need before the rest, by a label', () => {
    const step = manifests.filter(({ metadata }) => metadata.labels['millrace/step'] === 'migrate');
    const names = step.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-[a-z0-9]{10}$/, '')}`);
    expect(names.toSorted()).toEqual([
      'ConfigMap millrace-settings',
      'Job migrate',
      `Namespace ${overlay === 'dev' ? 'millrace-dev' : 'millrace'}`,
      'NetworkPolicy deny-all',
      'NetworkPolicy reach-postgres',
      'NetworkPolicy resolve-names',
      'ServiceAccount migrate',
    ]);
  });

  it('tries migrations again, and keeps no pod of them for ever', () => {
    expect(theOne(manifests, 'Job', 'migrate')['spec']).toMatchObject({
      backoffLimit: expect.any(Number),
      activeDeadlineSeconds: expect.any(Number),
      ttlSecondsAfterFinished: expect.any(Number),
      template: { spec: { restartPolicy: 'Never' } },
    });
  });

  it('passes bodies on as they come, and waits for the longest statement', () => {
    const { metadata, ...ingress } = theOne(manifests, 'Ingress', 'gateway');
    const annotation = (name: string) => metadata.annotations[`nginx.ingress.kubernetes.io/${name}`];
    expect(annotation('proxy-body-size')).toBe('0');
    expect(annotation('proxy-request-buffering')).toBe('off');
    expect(annotation('proxy-buffering')).toBe('off');
    expect(annotation('proxy-next-upstream')).toBe('off');
    const gateway = workloadsIn(manifests).find(({ name }) => name === 'gateway');
    const { UPLOAD_IDLE_MS, DOWNLOAD_IDLE_MAX_MS } = parseEnvironment(gateway && environmentOf(gateway, manifests));
    const silenceMs = Math.max(DEFAULT_TENANT_LIMITS.queryTimeoutMaxMs, UPLOAD_IDLE_MS, DOWNLOAD_IDLE_MAX_MS);
    expect(Number(annotation('proxy-read-timeout')) * 1_000).toBeGreaterThan(silenceMs);
    expect(Number(annotation('proxy-send-timeout')) * 1_000).toBeGreaterThan(silenceMs);
    expect(ingress['spec']).toMatchObject({
      rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'gateway', port: { name: 'http' } } } }] } }],
    });
  });
});

describe('the example of the Secret for production', () => {
  const example = secretSchema.parse(parse(readFileSync(EXAMPLE, 'utf8')));

  it('names each key that a pod asks for, and no other', () => {
    const asked = workloadsIn(kustomize('production')).flatMap(({ container }) =>
      container.env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
    );
    expect(new Set(asked.map(({ name }) => name))).toEqual(new Set([example.metadata.name]));
    expect(Object.keys(example.stringData).sort()).toEqual([...new Set(asked.map(({ key }) => key))].sort());
  });

  it('holds addresses of the form that settings have', () => {
    const { DATABASE_URL, REDIS_URL } = example.stringData;
    expect(() => environmentSchema.parse({ DATABASE_URL, REDIS_URL })).not.toThrow();
  });
});
