export const GATEWAY_SETTINGS = Symbol('gateway settings');

/** What the gateway takes from the configuration. */
export interface GatewaySettings {
  readonly version: string;
  readonly uploadBytesMax: number;
  readonly uploadIdleMs: number;
  readonly uploadRetentionMs: number;
  readonly queryServiceUrl: string;
  readonly internalSecret: string;
}
