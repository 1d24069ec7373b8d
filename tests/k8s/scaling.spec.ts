import { describe, expect, it } from '@jest/globals';
import { parseEnvironment } from '@millrace/config';
import { z } from 'zod';
import { environmentOf } from './harness/environment-of.js';
import { kustomize } from './harness/kustomize.js';
import { ofKind, theOne, workloadsIn } from './harness/manifest.js';

const SERVICES = ['convert-worker', 'gateway', 'maintenance-worker', 'query-service'];
const autoscalerSchema = z.looseObject({
  scaleTargetRef: z.object({ apiVersion: z.literal('apps/v1'), kind: z.literal('Deployment'), name: z.string() }),
  minReplicas: z.number(),
  maxReplicas: z.number(),
  metrics: z.array(
    z.object({
      type: z.literal('Resource'),
      resource: z.object({
        name: z.literal('cpu'),
        target: z.object({ type: z.literal('Utilization'), averageUtilization: z.number() }),
      }),
    }),
  ),
  behavior: z.looseObject({ scaleDown: z.looseObject({ stabilizationWindowSeconds: z.number() }) }),
});

describe('how many pods there are in production', () => {
  const manifests = kustomize('production');
  const replicas = (name: string) => (theOne(manifests, 'Deployment', name)['spec'] as { replicas?: number }).replicas;

  it('takes one pod of a service at a time, and those that do not work at any time', () => {
    const budgets = ofKind(manifests, 'PodDisruptionBudget');
    expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(SERVICES);
    for (const { metadata, ...budget } of budgets) {
      expect(budget['spec']).toEqual({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: { 'app.kubernetes.io/name': metadata.name } },
      });
    }
  });

  it.each(['gateway', 'query-service'])('%s is counted by its use of CPU, and never alone', (name) => {
    const { scaleTargetRef, minReplicas, maxReplicas, metrics, behavior } = autoscalerSchema.parse(
      theOne(manifests, 'HorizontalPodAutoscaler', name)['spec'],
    );
    expect(scaleTargetRef.name).toBe(name);
    expect(minReplicas).toBeGreaterThanOrEqual(2);
    expect(maxReplicas).toBeGreaterThan(minReplicas);
    expect(metrics).toHaveLength(1);
    expect(behavior.scaleDown.stabilizationWindowSeconds).toBeGreaterThanOrEqual(300);
  });

  it('leaves the number to autoscalers where there is one, and has two maintenance workers', () => {
    expect(SERVICES.map((name) => [name, replicas(name)])).toEqual([
      ['convert-worker', undefined],
      ['gateway', undefined],
      ['maintenance-worker', 2],
      ['query-service', undefined],
    ]);
  });

  it('asks maintenance workers how many conversion workers they want', () => {
    const { metadata, ...scaled } = theOne(manifests, 'ScaledObject', 'convert-worker');
    const worker = workloadsIn(manifests).find(({ name }) => name === 'maintenance-worker');
    const { OPS_PORT } = parseEnvironment(worker && environmentOf(worker, manifests));
    expect(scaled['spec']).toMatchObject({
      scaleTargetRef: { name: 'convert-worker' },
      minReplicaCount: 1,
      fallback: { failureThreshold: expect.any(Number), replicas: expect.any(Number) },
      triggers: [
        {
          type: 'metrics-api',
          // What the fallback needs, and what divides the wanted workers by the target.
          metricType: 'AverageValue',
          metadata: {
            url: `http://maintenance-worker.${metadata.namespace}.svc:${OPS_PORT}/internal/scaling`,
            valueLocation: 'convert.workers_wanted',
            targetValue: '1',
            activationTargetValue: '0',
          },
        },
      ],
    });
  });
});
