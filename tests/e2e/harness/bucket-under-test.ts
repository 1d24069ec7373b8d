import type { DomainError } from '@millrace/domain';
import type { S3ObjectStore } from '@millrace/object-store';
import type { HeldCall, S3OperationName, S3Proxy } from '@millrace/testing';
import type { StoreUnderTest } from './store-under-test.js';

type Call = Parameters<StoreUnderTest['fail']>[0];

/** The operations by which services do what the port calls so. */
const OPERATIONS: Readonly<Partial<Record<Call, readonly S3OperationName[]>>> = {
  put: ['PutObject', 'UploadPart', 'CompleteMultipartUpload'],
  putFile: ['PutObject', 'UploadPart', 'CompleteMultipartUpload'],
  get: ['GetObject'],
  link: ['GetObject'],
  materialize: ['GetObject'],
  ping: ['ListObjects'],
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
    for (const of of operationsOf(call)) this.proxy.fail(fault, { of, times: times * ATTEMPTS_MAX });
  };

  hold: StoreUnderTest['hold'] = (call): HeldCall => this.proxy.hold(operationsOf(call));

  cutBytes: StoreUnderTest['cutBytes'] = ({ afterBytes }) => {
    this.proxy.fail({ kind: 'cut', afterBytes }, { of: 'GetObject' });
  };

  heal(): void {
    this.proxy.heal();
  }
}

function operationsOf(call: Call): readonly S3OperationName[] {
  const operations = OPERATIONS[call];
  if (!operations) throw new Error(`No operation of S3 stands for ${call} alone.`);
  return operations;
}

function faultOf(error: DomainError | undefined) {
  return error?.code === 'storage.full'
    ? ({ kind: 'answer', status: 507, code: 'XMinioStorageFull' } as const)
    : ({ kind: 'answer', status: 503, code: 'SlowDown' } as const);
}
