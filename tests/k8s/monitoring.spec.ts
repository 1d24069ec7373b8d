import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '@millrace/domain';
import { z } from 'zod';
import { kustomize } from './harness/kustomize.js';
import { ofKind, theOne } from './harness/manifest.js';
import { metricLabels, strangeLabels } from './harness/metric-labels.js';
import { metricsIn, metricsInCode } from './harness/metrics-in-code.js';

const OPERATIONS = new URL('../../docs/operations.md', import.meta.url);
const CACHE = new URL('../../libs/object-store/src/cache-metrics.ts', import.meta.url);
const SWEEPS = new URL('../../apps/maintenance-worker/src/sweeping/sweep-schedule.ts', import.meta.url);

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const dashboardSchema = z.object({
  uid: z.string(),
  panels: z.array(
    z.looseObject({ id: z.number(), title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]) }),
  ),
});

describe('what watches production', () => {
  const manifests = kustomize('production');
  const rules = rulesSchema
    .parse(theOne(manifests, 'PrometheusRule', 'millrace')['spec'])
    .groups.flatMap((group) => group.rules);
  const dashboardData = z
    .record(z.string(), z.string())
    .parse(theOne(manifests, 'ConfigMap', 'millrace-dashboard')['data']);
  const dashboard = dashboardSchema.parse(JSON.parse(dashboardData['millrace.json'] ?? ''));
  const known = metricsInCode();
  const alerts = rules.map((rule) => [rule.alert, rule] as const);

  it('reads the metrics of each service at its operations door', () => {
    const monitor = theOne(manifests, 'ServiceMonitor', 'millrace')['spec'];
    expect(monitor).toMatchObject({
      selector: { matchLabels: { 'app.kubernetes.io/part-of': 'millrace' } },
      // Our label `service` is the one that alerts and panels ask for.
      endpoints: [{ port: 'ops', path: '/metrics', honorLabels: true }],
    });
    for (const { metadata } of ofKind(manifests, 'Service')) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/part-of': 'millrace' });
    }
  });

  it('names each alert once, and begins with whose it is', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^Millrace[A-Z]\w+$/.test(name))).toEqual([]);
  });

  it.each(alerts)('%s asks for metrics that there are', (_, { expr }) => {
    expect(metricsIn(expr, known).filter((name) => !known.has(name))).toEqual([]);
  });

  it('asks for labels that the metrics have, in alerts and in panels', () => {
    const labels = metricLabels();
    const expressions = [
      ...rules.map(({ expr }) => expr),
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    const strange = expressions.map((expr) => [expr, strangeLabels(expr, { names: metricsIn(expr, known), labels })]);
    expect(strange.filter(([, found]) => found?.length !== 0)).toEqual([]);
  });

  it('asks for pods and jobs of the namespace that it is in, and misses each service', () => {
    const { namespace } = theOne(manifests, 'PrometheusRule', 'millrace').metadata;
    const others = rules.filter(({ expr }) => /\b(up|kube_\w+)\{/.test(expr));
    for (const { expr } of others) {
      const selectors = [...expr.matchAll(/\b(?:up|kube_\w+)\{([^}]*)\}/g)].map(([, labels]) => labels);
      for (const labels of selectors) expect(labels).toContain(`namespace="${namespace}"`);
    }
    const down = rules.find(({ alert }) => alert === 'MillraceServiceDown')?.expr ?? '';
    for (const { metadata } of ofKind(manifests, 'Deployment')) {
      expect(down).toContain(`absent(up{namespace="${namespace}", job="${metadata.name}"})`);
    }
  });

  it.each(alerts)('%s says what to do', (alert, { annotations: { runbook } }) => {
    expect(runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    expect(readFileSync(OPERATIONS, 'utf8')).toMatch(new RegExp(`^### ${alert}$`, 'm'));
  });

  it.each(alerts)('%s asks for outcomes, sweeps and reasons that there are', (_, { expr }) => {
    const valuesOf = (label: string) =>
      [...expr.matchAll(new RegExp(`\\b${label}=~?"([^"]+)"`, 'g'))].flatMap(([, values]) => (values ?? '').split('|'));
    const [sweeps, cache] = [readFileSync(SWEEPS, 'utf8'), readFileSync(CACHE, 'utf8')];
    expect(valuesOf('sweep').filter((sweep) => !sweeps.includes(`'${sweep}'`))).toEqual([]);
    expect(valuesOf('reason').filter((reason) => !cache.includes(`'${reason}'`))).toEqual([]);
    const outcomes = [...Object.keys(ERRORS), 'done', 'failed', 'succeeded', 'committed', 'cancelled'];
    expect(valuesOf('outcome').filter((outcome) => !outcomes.includes(outcome))).toEqual([]);
  });

  it('has panels, each with an id of its own, of metrics that there are', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(10);
    expect(expressions.flatMap((expr) => metricsIn(expr, known)).filter((name) => !known.has(name))).toEqual([]);
  });

  it('shows every metric of ours', () => {
    const shown = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr, known)));
    expect([...known].filter((name) => name.startsWith('millrace_') && !shown.includes(name))).toEqual([]);
  });

  it('lets Grafana find the dashboard', () => {
    expect(theOne(manifests, 'ConfigMap', 'millrace-dashboard').metadata.labels).toMatchObject({
      grafana_dashboard: '1',
    });
  });
});
