import { z } from 'zod';

const labelsSchema = z.record(z.string(), z.string());

export const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: labelsSchema.default({}),
    annotations: labelsSchema.default({}),
  }),
});

/** An object of Kubernetes; what is below `spec` is for those who know its kind. */
export type Manifest = z.output<typeof manifestSchema>;

const portSchema = z.union([z.number(), z.string()]);
const probeSchema = z.looseObject({
  httpGet: z.object({ path: z.string(), port: portSchema }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number(),
});
const keyRefSchema = z.object({ name: z.string(), key: z.string(), optional: z.boolean().default(false) });
const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z.object({ secretKeyRef: keyRefSchema }).optional(),
      }),
    )
    .default([]),
  startupProbe: probeSchema.optional(),
  livenessProbe: probeSchema.optional(),
  readinessProbe: z.looseObject({}).optional(),
  resources: z.object({ requests: z.record(z.string(), portSchema), limits: z.record(z.string(), portSchema) }),
  securityContext: z.looseObject({}),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});
const podSchema = z.looseObject({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean(),
  enableServiceLinks: z.boolean(),
  terminationGracePeriodSeconds: z.number().optional(),
  topologySpreadConstraints: z
    .array(z.looseObject({ topologyKey: z.string(), labelSelector: z.object({ matchLabels: labelsSchema }) }))
    .default([]),
  securityContext: z.looseObject({}),
  containers: z.array(containerSchema),
  volumes: z.array(z.looseObject({ name: z.string() })),
});
const workloadSchema = z.looseObject({
  template: z.object({ metadata: z.object({ labels: labelsSchema }), spec: podSchema }),
});

/** A Deployment, StatefulSet or Job, with the one container of its pods. */
export interface Workload {
  readonly manifest: Manifest;
  readonly name: string;
  /** Of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: z.output<typeof podSchema>;
  readonly container: z.output<typeof containerSchema>;
}

const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Pod'];

/** All that makes pods. @throws ZodError for one that is made otherwise than ours are */
export function workloadsIn(manifests: readonly Manifest[]): Workload[] {
  return manifests
    .filter(({ kind }) => WORKLOAD_KINDS.includes(kind))
    .map((manifest) => {
      const { metadata, spec: pod } = workloadSchema.parse(manifest['spec']).template;
      const [container, ...others] = pod.containers;
      if (!container || others.length > 0) throw new Error(`${manifest.metadata.name} has not one container`);
      return { manifest, name: manifest.metadata.name, labels: metadata.labels, pod, container };
    });
}

/** Those that run Millrace itself, and not a server that it needs. */
export const isOurs = ({ labels }: Workload): boolean => labels['app.kubernetes.io/part-of'] === 'millrace';

export const ofKind = (manifests: readonly Manifest[], kind: string): Manifest[] =>
  manifests.filter((manifest) => manifest.kind === kind);

/** @throws Error when there is none, or more than one */
export function theOne(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const [found, ...others] = ofKind(manifests, kind).filter(({ metadata }) => metadata.name === name);
  if (!found || others.length > 0) throw new Error(`not one ${kind} named ${name}`);
  return found;
}
