/** BullMQ's lock on a running job; it renews it every half of that. */
const LOCK_MS = 30_000;
/**
 * A message whose lock ran out is delivered once more, then failed by BullMQ. Once more is useful: a worker that died
 * between taking the message and starting the attempt left an attempt that another can still start. If it did start,
 * the second delivery carries the same attempt number and fails the fence.
 */
const REDELIVERIES_MAX = 1;
const STALLED_CHECK_INTERVAL_MS = 30_000;
/** How long a worker waits before it tries again when connections are refused. */
const RECONNECT_PAUSE_MS = 1_000;

/** How long an idle worker waits for a notification before it looks by itself. */
export const POLL_INTERVAL_S = 5;

/** How BullMQ's workers deliver, whatever they run on. */
export const DELIVERY_SETTINGS = {
  autorun: false,
  lockDuration: LOCK_MS,
  maxStalledCount: REDELIVERIES_MAX,
  stalledInterval: STALLED_CHECK_INTERVAL_MS,
  drainDelay: POLL_INTERVAL_S,
  runRetryDelay: RECONNECT_PAUSE_MS,
} as const;

/** BullMQ's own event stream has no reader here. */
export const STREAM_SETTINGS = { events: { maxLen: 100 } } as const;

/** All of Millrace listens to one relay. */
export const RELAY_NAMESPACE = 'millrace';
