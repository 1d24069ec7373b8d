import { Counter, Gauge, type Registry } from '@millrace/telemetry';

/** `shared`: the file was on its way already for somebody else. */
export type CacheOutcome = 'hit' | 'miss' | 'shared';

/** Why a file went: no room, idle and no longer in the store, gone from the disk or the store, other bytes than it should have. */
export type EvictionReason = 'room' | 'idle' | 'gone' | 'damaged';

/** What a read cache is worth, and what it costs. */
export class CacheMetrics {
  private readonly requests: Counter<'outcome'>;
  private readonly fetched: Counter;
  private readonly evictions: Counter<'reason'>;

  /** @param sizeBytes reads the bytes of all copies */
  constructor(registry: Registry, sizeBytes: () => number) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'millrace_cache_requests_total',
      help: 'Files that were asked of the read cache: hit (a local copy), miss (fetched) or shared (a fetch under way).',
      labelNames: ['outcome'],
      registers,
    });
    this.fetched = new Counter({
      name: 'millrace_cache_fetched_bytes_total',
      help: 'Bytes that the read cache copied from the object store.',
      registers,
    });
    this.evictions = new Counter({
      name: 'millrace_cache_evictions_total',
      help: 'Files that left the read cache: room, idle, gone (from the disk or the store) or damaged.',
      labelNames: ['reason'],
      registers,
    });
    const bytes: Gauge = new Gauge({
      name: 'millrace_cache_bytes',
      help: 'Bytes of local copies in the read cache; links to a folder store are none.',
      registers,
      collect: (): void => bytes.set(sizeBytes()),
    });
  }

  asked(outcome: CacheOutcome): void {
    this.requests.inc({ outcome });
  }

  fetchedBytes(bytes: number): void {
    this.fetched.inc(bytes);
  }

  evicted(reason: EvictionReason): void {
    this.evictions.inc({ reason });
  }
}
