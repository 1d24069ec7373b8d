import type { EventType } from '@millrace/domain';
import { Counter, type Registry } from '@millrace/telemetry';

/** How many events this process sent to the others. */
export class EventMetrics {
  private readonly events: Counter<'event' | 'outcome'>;

  constructor(registry: Registry) {
    this.events = new Counter({
      name: 'millrace_events_total',
      help: 'Events for the other processes, by type and outcome: sent or failed.',
      labelNames: ['event', 'outcome'],
      registers: [registry],
    });
  }

  note(event: EventType, outcome: 'sent' | 'failed'): void {
    this.events.inc({ event, outcome });
  }
}
