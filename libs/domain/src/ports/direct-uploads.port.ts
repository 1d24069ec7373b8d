import type { StoreOptions } from './object-store.port.js';

/** An upload in parts that a client sends past the server, straight to the store. */
export interface DirectUpload {
  /** Where the object will be. */
  readonly key: string;
  /** What the store calls the upload. */
  readonly uploadId: string;
}

export interface DirectPart {
  /** From 1. */
  readonly number: number;
  readonly sizeBytes: number;
}

export interface SignedPart extends DirectPart {
  /** Takes one PUT with exactly so many bytes as its body, without credentials. */
  readonly url: string;
}

/** A part as its sender knows it: the number, and what the store answered. */
export interface SentPart {
  readonly number: number;
  readonly etag: string;
}

/**
 * Uploads past the server, where a store can do that. Nothing of them is an object before `complete`; `ObjectStore.delete`
 * of the key ends one that was begun.
 *
 * Errors of every call: those of `ObjectStore`.
 */
export interface DirectUploads {
  begin(key: string, options?: StoreOptions): Promise<DirectUpload>;
  /** Addresses for parts. An address stays good until its time is over, or the upload ends. */
  signParts(
    upload: DirectUpload,
    request: { readonly parts: readonly DirectPart[]; readonly expiresInMs: number },
  ): Promise<SignedPart[]>;
  /**
   * Makes the parts one object. Once more does no harm, also after an answer that was lost.
   *
   * @throws DomainError `upload.parts_invalid` when a part is missing, is another one, or all of them do not have so many
   *   bytes: more can be sent; `upload.expired` when the store knows neither the upload nor the object
   */
  complete(
    upload: DirectUpload,
    request: StoreOptions & { readonly parts: readonly SentPart[]; readonly sizeBytes: number },
  ): Promise<void>;
}
