const KiB = 1024;
const MiB = 1024 * KiB;

/** What the clients of one server may hold of it. */
export interface HttpLimits {
  /** Connections at once; those beyond are dropped. */
  readonly connectionsMax: number;
  /** How long the headers of a request may take to arrive. */
  readonly headersMs: number;
  /** How long a client may take no byte of its answer. */
  readonly answerIdleMs: number;
  /** How long a JSON body may take to arrive. */
  readonly jsonBodyMs: number;
  /** The longest pause within a JSON body. */
  readonly jsonBodyIdleMs: number;
  /** Room for 1 MiB of inline content with every character escaped, and the rest of the request. */
  readonly jsonBytesMax: number;
  /** JSON bodies of one tenant that are being read or worked on, together. */
  readonly jsonBytesOfTenantMax: number;
  /** The same of all tenants: what stands between them and the memory of the process. */
  readonly jsonBytesInAllMax: number;
  /** Of an answer that is kept for who sends the same request again. */
  readonly keptAnswerBytesMax: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  connectionsMax: 1_000,
  headersMs: 30_000,
  answerIdleMs: 60_000,
  jsonBodyMs: 30_000,
  jsonBodyIdleMs: 10_000,
  jsonBytesMax: 8 * MiB,
  jsonBytesOfTenantMax: 64 * MiB,
  jsonBytesInAllMax: 256 * MiB,
  keptAnswerBytesMax: 256 * KiB,
};
