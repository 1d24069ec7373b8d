import type { DomainError } from '@millrace/domain';
import type { S3ObjectStore } from '@millrace/object-store';
import type { HeldCall, S3OperationName, S3Proxy } from '@millrace/testing';
import type { StoreUnderTest } from './store-under-test.js';

type Call = Parameters<StoreUnderTest['fail']>[0];

interface Requests {
  readonly operations: readonly S3OperationName[];
  /** Uploads come as streams; all else is a file first. */
  readonly path?: RegExp;
}

const WRITES = ['PutObject', 'UploadPart', 'CompleteMultipartUpload'] as const;

/** The requests by which services do what the port calls so. */
const REQUESTS: Readonly<Partial<Record<Call, Requests>>> = {
  put: { operations: WRITES, path: /\/uploads\// },
  putFile: { operations: WRITES, path: /\/(datasets|results)\// },
  get: { operations: ['GetObject'] },
  link: { operations: ['GetObject'] },
  ping: { operations: ['ListObjects'] },
};

/** The adapter tries a call so often. */
const ATTEMPTS_MAX = 4;

/** A bucket whose services are in other processes: its faults are those of its answers, as the proxy before it makes them. */
export class BucketUnderTest implements StoreUnderTest {
  constructor(
    private readonly proxy: S3Proxy,
    /** Past the proxy. */
    private readonly store: S3ObjectStore,
  ) {}

  list: StoreUnderTest['list'] = (prefix, options) => this.store.list(prefix, options);
  get: StoreUnderTest['get'] = (key, options) => this.store.get(key, options);
  find: StoreUnderTest['find'] = (key, options) => this.store.find(key, options);
  delete: StoreUnderTest['delete'] = (key, options) => this.store.delete(key, options);

  fail: StoreUnderTest['fail'] = (call, { times = Number.POSITIVE_INFINITY, error } = {}) => {
    const fault = faultOf(error?.() as DomainError | undefined);
    const { operations, path } = requestsOf(call);
    for (const of of operations) this.proxy.fail(fault, { of, times: times * ATTEMPTS_MAX, ...(path && { path }) });
  };

  hold: StoreUnderTest['hold'] = (call): HeldCall => {
    const { operations, path } = requestsOf(call);
    return this.proxy.hold(operations, path);
  };

  cutBytes: StoreUnderTest['cutBytes'] = ({ afterBytes }) => {
    this.proxy.fail({ kind: 'cut', afterBytes }, { of: 'GetObject' });
  };

  heal(): void {
    this.proxy.heal();
  }
}

function requestsOf(call: Call): Requests {
  const requests = REQUESTS[call];
  if (!requests) throw new Error(`No request to S3 stands for ${call} alone.`);
  return requests;
}

function faultOf(error: DomainError | undefined) {
  return error?.code === 'storage.full'
    ? ({ kind: 'answer', status: 507, code: 'XMinioStorageFull' } as const)
    : ({ kind: 'answer', status: 503, code: 'SlowDown' } as const);
}
