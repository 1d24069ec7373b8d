import type { Readable } from 'node:stream';

/** What the conditions of a request are about (RFC 9110, 13.1). */
export interface DownloadConditions {
  readonly ifNoneMatch?: string | undefined;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
}

/** The answer to a download. */
export interface Download {
  readonly status: 200 | 206 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent when the head is the whole answer. */
  readonly body?: Readable;
}
