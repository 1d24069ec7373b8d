import type { Principal } from '../principal.js';

/** Finds who a key belongs to. */
export interface KeyDirectory {
  /**
   * The principal of a key that is not revoked.
   *
   * @param keyHash SHA-256 of the whole key, 32 bytes; the key itself is never stored
   */
  findPrincipal(keyHash: Uint8Array): Promise<Principal | undefined>;
}
