import { AggregatorRegistry, collectDefaultMetrics, type MetricObject, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics as the text that Prometheus reads. A `Registry` is one. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** The metrics of one service, which the label `service` names. Labels are bounded: routes, codes, job kinds. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  return registry;
}

/** Measures the Node process as well: once per process, however many services are in it. */
export function measureProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}

/** One page of what several services in this process measure; each keeps its label `service`. */
export function joinMetrics(registries: readonly Registry[]): MetricsPage {
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    metrics: async () => {
      const sets = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
      return AggregatorRegistry.aggregate(sets.map((set) => set.map(kept))).metrics();
    },
  };
}

/** Some metrics of a process mean nothing when added up, and would be left out; here there is one process only. */
function kept(metric: MetricObject): MetricObject {
  return String(metric.aggregator) === 'omit' ? { ...metric, aggregator: 'first' } : metric;
}
