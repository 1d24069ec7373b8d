import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '@millrace/catalog';
import { S3ObjectStore } from '@millrace/object-store';
import {
  type AppName,
  APPS,
  RedisServer,
  runMigrations,
  S3Proxy,
  s3Variables,
  ServiceRun,
  startPostgres,
  startS3,
  type TestDatabase,
} from '@millrace/testing';
import { type TenantUnderTest, tenantAt } from '../millrace.js';
import { Balancer } from './balancer.js';
import { OwnPostgres } from './own-postgres.js';

/** Short enough that a test can wait for what outlives its lease, long enough for a busy machine. */
const SETTINGS = {
  LEASE_MS: '3000',
  SWEEP_INTERVAL_MS: '200',
  DELETION_GRACE_MS: '1500',
  DRAIN_DELAY_MS: '500',
  DRAIN_MS: '10000',
  DATABASE_POOL_MAX: '4',
  QUERY_CHILDREN_MAX: '2',
  QUERY_CHILDREN_KEPT_MAX: '4',
  CONVERT_CONCURRENCY: '2',
  INTERNAL_SECRET: 'a secret of more than thirty-two characters',
};

export interface FleetOptions {
  /** Processes of each service; one of each where nothing is said. */
  readonly counts?: Partial<Record<AppName, number>>;
  /** One of each, and nothing between clients, gateway and query service: what passes is buffered by nobody else. */
  readonly isDirect?: boolean;
  readonly variables?: Readonly<Record<string, string>>;
  /** A Postgres that can be ended, as `postgres`; else a database on the server that all suites share. */
  readonly ownPostgres?: boolean;
}

/**
 * Several processes of each service, as on many machines: each its own, with an address before the gateways and one before
 * the query services.
 */
export class Fleet {
  private readonly runs: ServiceRun[] = [];
  private readonly closers: (() => Promise<unknown>)[] = [];
  private gateways: Balancer | undefined;
  private queryServices: Balancer | undefined;

  private constructor(
    readonly dataFolder: string,
    /** The name of the bucket. */
    readonly bucket: string,
    private readonly database: TestDatabase | OwnPostgres,
    /** To look at what the services wrote, and to make tenants. */
    readonly catalog: Catalog,
    readonly redis: RedisServer,
    /** Between the services and the store, to make it fail. */
    readonly s3: S3Proxy,
    /** The store itself, past all faults. */
    readonly store: S3ObjectStore,
    private readonly variables: Readonly<Record<string, string>>,
  ) {}

  static async start(options: FleetOptions = {}): Promise<Fleet> {
    const { counts = {}, isDirect = false, ownPostgres = false, variables = {} } = options;
    const dataFolder = await mkdtemp(join(tmpdir(), 'millrace-fleet-'));
    // Engine processes run as users without rights, who have to pass.
    await chmod(dataFolder, 0o711);
    const [database, redis, bucket] = await Promise.all([
      ownPostgres ? OwnPostgres.start() : startPostgres(),
      RedisServer.start(),
      startS3(),
    ]);
    const s3 = await S3Proxy.start(bucket.endpoint);
    const { databaseUrl } = database;
    const settings = {
      ...SETTINGS,
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataFolder,
      REDIS_URL: redis.url,
      ...s3Variables(bucket, s3.endpoint),
      ...variables,
    };
    await runMigrations(settings);
    const catalog = await Catalog.open({ databaseUrl, poolMax: 2, blobGraceMs: 0 });
    const store = new S3ObjectStore(bucket);
    const fleet = new Fleet(dataFolder, bucket.bucket, database, catalog, redis, s3, store, settings);
    fleet.closers.push(
      () => rm(dataFolder, { recursive: true, force: true }),
      () => Promise.all([database.stop(), redis.stop(), bucket.stop()]),
      () => s3.stop(),
      async () => store.close(),
      () => catalog.close(),
    );
    try {
      await (isDirect ? fleet.openDirect() : fleet.open(counts));
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  get databaseUrl(): string {
    return this.database.databaseUrl;
  }

  /** The database server, for who asked for one of its own. */
  get postgres(): OwnPostgres {
    if (this.database instanceof OwnPostgres) return this.database;
    throw new Error('The fleet has a database on a server that others use, too.');
  }

  /** Where clients send their requests. */
  get url(): string {
    return this.gateways?.url ?? this.of('gateway')[0]?.url ?? '';
  }

  /** The network between gateways and query services. */
  get innerNetwork(): Pick<Balancer, 'cut' | 'mend'> {
    if (!this.queryServices) throw new Error('The fleet is not open.');
    return this.queryServices;
  }

  /** The processes of a service that have not ended. */
  of(app: AppName): ServiceRun[] {
    return this.runs.filter((run) => run.app === app && !run.hasEnded);
  }

  /** Starts one more process of a service, with settings of its own where they are given, and does not wait for it. */
  begin(app: AppName, variables: Readonly<Record<string, string>> = {}): ServiceRun {
    const queryServiceUrl = this.queryServices?.url ?? this.of('query-service')[0]?.url;
    const inner = { QUERY_SERVICE_URL: queryServiceUrl ?? '' };
    const run = new ServiceRun({ app, variables: { ...this.variables, ...inner, ...variables } });
    this.runs.push(run);
    return run;
  }

  /** Starts one more process of a service and waits until it is ready. */
  async add(app: AppName): Promise<ServiceRun> {
    const run = await this.begin(app).untilReady();
    await this.look();
    return run;
  }

  /** Waits until all processes that have not ended are ready. */
  async untilReady(): Promise<void> {
    await Promise.all(APPS.flatMap((app) => this.of(app)).map((run) => run.untilReady()));
    await this.look();
  }

  /** As a rolling update does: for each process of a service a new one, and when that is ready, the old one stops. */
  async replaceAll(app: AppName): Promise<void> {
    for (const old of this.of(app)) {
      await this.add(app);
      const { code } = await old.stop();
      if (code !== 0) throw new Error(`The ${app} ended with ${code}:\n${old.lines.join('\n')}`);
    }
  }

  newTenant(): Promise<TenantUnderTest> {
    return tenantAt(this.url, this.catalog);
  }

  /** Runs a part of a test; when it fails, the last lines of all processes are shown. */
  async explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      for (const { app, pid, lines } of this.runs) {
        process.stderr.write(`\n--- ${app} ${pid}\n${lines.slice(-30).join('\n')}\n`);
      }
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.runs.map((run) => run.stop('SIGKILL')));
    await Promise.all([this.gateways?.close(), this.queryServices?.close()]);
    for (const close of this.closers.splice(0).toReversed()) await close();
  }

  private async open(counts: Partial<Record<AppName, number>>): Promise<void> {
    this.queryServices = await Balancer.open(() => this.of('query-service'));
    this.gateways = await Balancer.open(() => this.of('gateway'));
    const wanted = APPS.flatMap((app) => Array.from({ length: counts[app] ?? 1 }, () => app));
    for (const app of wanted) this.begin(app);
    await this.untilReady();
  }

  private async openDirect(): Promise<void> {
    const others = (['convert-worker', 'maintenance-worker'] as const).map((app) => this.begin(app).untilReady());
    await this.begin('query-service').untilReady();
    await Promise.all([this.begin('gateway').untilReady(), ...others]);
  }

  private async look(): Promise<void> {
    await Promise.all([this.gateways?.look(), this.queryServices?.look()]);
  }
}
