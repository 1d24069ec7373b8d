import { Counter, type Registry } from '@millrace/telemetry';

/** What this service counts. */
export class MaintenanceMetrics {
  readonly jobsAdmitted: Counter<'kind'>;
  readonly sweeps: Counter<'sweep' | 'outcome'>;
  readonly sweptRows: Counter<'sweep'>;
  readonly deletions: Counter;
  readonly deletionFailures: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.jobsAdmitted = new Counter({
      name: 'millrace_jobs_admitted_total',
      help: 'Jobs handed to the queue, by kind; an attempt counts each time.',
      labelNames: ['kind'],
      registers,
    });
    this.sweeps = new Counter({
      name: 'millrace_sweeps_total',
      help: 'Runs of the sweepers, by name and outcome: done or failed.',
      labelNames: ['sweep', 'outcome'],
      registers,
    });
    this.sweptRows = new Counter({
      name: 'millrace_swept_rows_total',
      help: 'Things that the sweepers ended, by name.',
      labelNames: ['sweep'],
      registers,
    });
    this.deletions = new Counter({
      name: 'millrace_blob_deletions_total',
      help: 'Objects deleted from the store.',
      registers,
    });
    this.deletionFailures = new Counter({
      name: 'millrace_blob_deletion_failures_total',
      help: 'Deletions from the store that failed and will be tried again.',
      registers,
    });
  }
}
