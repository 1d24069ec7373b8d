import { Catalog } from '@millrace/catalog';
import { MillraceClient } from '@millrace/contract';
import { createTenant, type TestTenant } from '@millrace/testing';
import type { StoreUnderTest } from './store-under-test.js';

export interface MillraceUnderTest {
  readonly url: string;
  readonly dataFolder: string;
  /** The catalog behind the services, to look at what they wrote and to make tenants. */
  readonly catalog: Catalog;
  /** The store of all services: faults can be put into it. */
  readonly store: StoreUnderTest;
  /** A tenant of its own, with clients for its admin and its member. */
  newTenant(): Promise<TenantUnderTest>;
  stop(): Promise<void>;
}

export interface TenantUnderTest extends TestTenant {
  readonly asAdmin: MillraceClient;
  readonly asMember: MillraceClient;
}

declare global {
  /** Set for a whole run of Jest, by its project. */
  var MILLRACE_SHAPE: 'standalone' | 'separate' | undefined;
}

/** Short enough that a test can wait for what outlives its lease, long enough for a busy machine. */
const SETTINGS = {
  LEASE_MS: '3000',
  SWEEP_INTERVAL_MS: '200',
  DELETION_GRACE_MS: '1500',
  DRAIN_MS: '5000',
  DATABASE_POOL_MAX: '6',
};

/**
 * Millrace in the shape that the run of the tests is about, on a database and a store of its own: all services in this
 * process, as `npm start` runs them, or each as a process of its own, on Redis and S3.
 */
export async function startMillrace(variables: Record<string, string> = {}): Promise<MillraceUnderTest> {
  const settings = { ...SETTINGS, ...variables };
  const isSeparate = globalThis.MILLRACE_SHAPE === 'separate';
  const start = isSeparate
    ? (await import('./separate.js')).startSeparate
    : (await import('./in-process.js')).startInProcess;
  return start(settings);
}

/** A tenant of its own, with clients that reach the services at an address. */
export async function tenantAt(url: string, catalog: Catalog): Promise<TenantUnderTest> {
  const tenant = await createTenant(catalog);
  const client = (apiKey: string) => new MillraceClient({ url, apiKey });
  return { ...tenant, asAdmin: client(tenant.admin.apiKey), asMember: client(tenant.member.apiKey) };
}
