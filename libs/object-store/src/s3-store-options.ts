/** How the store encrypts what it keeps; left out, as the bucket says. */
export type S3Encryption =
  | { readonly algorithm: 'AES256' }
  /** Left out, the key is the account's own for S3. */
  | { readonly algorithm: 'aws:kms'; readonly kmsKeyId?: string };

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3StoreOptions {
  readonly bucket: string;
  /** Address of a server that is not AWS, such as `http://127.0.0.1:8333`. */
  readonly endpoint?: string;
  /** The same server as clients see it: in addresses for uploads past the services. */
  readonly publicEndpoint?: string;
  /** Left out: what the SDK finds (`AWS_REGION`, a profile); with an endpoint, `us-east-1`. */
  readonly region?: string;
  /** The bucket in the path instead of the host name, as most servers that are not AWS want it. */
  readonly forcePathStyle?: boolean;
  readonly encryption?: S3Encryption;
  /** Left out, the SDK looks for them: the environment, a profile, the role of the pod or machine. */
  readonly credentials?: S3Credentials;
  readonly limits?: Partial<S3Limits>;
}

/** What a call may take. The defaults suit a store in the same region or the same room. */
export interface S3Limits {
  /** Until a connection stands. */
  readonly connectTimeoutMs: number;
  /** Until the head of an answer is there, and between two pieces of its body. */
  readonly idleTimeoutMs: number;
  /** Tries of one call, the first included. */
  readonly attemptsMax: number;
  /** Connections at once; a reader that is slow holds one. */
  readonly socketsMax: number;
  /** Entries of one page of a listing, at most 1,000. */
  readonly pageKeysMax: number;
}

export const S3_LIMITS: S3Limits = {
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 30_000,
  attemptsMax: 4,
  socketsMax: 512,
  pageKeysMax: 1_000,
};
