export const GATEWAY_SETTINGS = Symbol('gateway settings');

/** What the gateway takes from the configuration. */
export interface GatewaySettings {
  readonly version: string;
  readonly uploadsMax: number;
  readonly uploadBytesMax: number;
  readonly uploadIdleMs: number;
  readonly uploadRetentionMs: number;
  /** How long an address for a part is good, and how long its upload waits to hear of the client. */
  readonly presignedUrlMs: number;
  /** How long the answer to a request with an `Idempotency-Key` is kept. */
  readonly idempotencyRetentionMs: number;
  readonly queryServiceUrl: string;
  readonly queryServiceConnectionMs: number;
  readonly internalSecret: string;
}
