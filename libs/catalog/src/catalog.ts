import { BlobReferences } from './blobs/blob-references.js';
import { BlobRepository } from './blobs/blobs.repository.js';
import { type ConnectionPool, Database, type DatabaseOptions, type Transaction } from './database/database.js';
import { DomainError } from '@millrace/domain';
import { migrate, missingMigrations } from './database/migrations.js';
import { DatasetRepository } from './datasets/datasets.repository.js';
import { VersionRepository } from './datasets/versions.repository.js';
import { IdempotencyKeyRepository } from './idempotency/idempotency-keys.repository.js';
import { JobSignal } from './jobs/job-signal.js';
import { JobRepository } from './jobs/jobs.repository.js';
import { BackgroundRunRepository } from './queries/background-runs.repository.js';
import { QueryRunRepository } from './queries/query-runs.repository.js';
import { ResultLifetimeRepository } from './queries/result-lifetimes.repository.js';
import { ResultReuseRepository } from './queries/result-reuse.repository.js';
import { ResultRepository } from './queries/results.repository.js';
import { SavedQueryRepository } from './saved-queries/saved-queries.repository.js';
import { KeyRepository } from './tenants/keys.repository.js';
import { TenantRepository } from './tenants/tenants.repository.js';
import { DirectUploadRepository } from './uploads/direct-uploads.repository.js';
import { ResumableUploadRepository } from './uploads/resumable-uploads.repository.js';
import { UploadRepository } from './uploads/uploads.repository.js';

export interface CatalogOptions extends DatabaseOptions {
  /** How long bytes without a reference are kept. */
  readonly blobGraceMs: number;
}

/** The one truth about tenants, bytes, tables, queries and jobs. */
export class Catalog {
  readonly tenants: TenantRepository;
  readonly keys: KeyRepository;
  readonly blobs: BlobRepository;
  readonly uploads: UploadRepository;
  readonly directUploads: DirectUploadRepository;
  readonly resumableUploads: ResumableUploadRepository;
  readonly datasets: DatasetRepository;
  readonly versions: VersionRepository;
  readonly queryRuns: QueryRunRepository;
  readonly backgroundRuns: BackgroundRunRepository;
  readonly results: ResultRepository;
  readonly resultLifetimes: ResultLifetimeRepository;
  readonly resultReuse: ResultReuseRepository;
  readonly jobs: JobRepository;
  readonly idempotencyKeys: IdempotencyKeyRepository;
  readonly savedQueries: SavedQueryRepository;

  private constructor(
    private readonly database: Database,
    private readonly options: CatalogOptions,
  ) {
    const references = new BlobReferences(options.blobGraceMs);
    this.tenants = new TenantRepository(database);
    this.keys = new KeyRepository(database);
    this.blobs = new BlobRepository(database, references);
    this.uploads = new UploadRepository(database, references);
    this.directUploads = new DirectUploadRepository(database, references);
    this.resumableUploads = new ResumableUploadRepository(database, references);
    this.datasets = new DatasetRepository(database, references);
    this.versions = new VersionRepository(database, references);
    this.queryRuns = new QueryRunRepository(database, references);
    this.backgroundRuns = new BackgroundRunRepository(database, references);
    this.results = new ResultRepository(database, references);
    this.resultLifetimes = new ResultLifetimeRepository(database, references);
    this.resultReuse = new ResultReuseRepository(database, references);
    this.jobs = new JobRepository(database, references);
    this.idempotencyKeys = new IdempotencyKeyRepository(database);
    this.savedQueries = new SavedQueryRepository(database);
  }

  /** @throws DomainError `service.unavailable` when the database does not answer */
  static async open(options: CatalogOptions): Promise<Catalog> {
    return new Catalog(await Database.open(options), options);
  }

  /**
   * Brings the tables up to date; safe to call in every process at every start.
   *
   * @param folder where the migrations are, if not in the repository's folder
   * @returns the names of the migrations applied now
   */
  migrate(folder?: string): Promise<string[]> {
    return migrate({ databaseUrl: this.options.databaseUrl, ...(folder !== undefined && { folder }) });
  }

  /** @throws DomainError `service.unavailable` when the tables are older than this version, or the database is away */
  async requireMigrated(): Promise<void> {
    const [first, ...more] = await missingMigrations(this.database);
    if (first === undefined) return;
    const rest = more.length > 0 ? ` and ${more.length} more` : '';
    throw new DomainError(
      'service.unavailable',
      `The database lacks the migration ${first}${rest}. Run the migrations.`,
    );
  }

  get connectionPools(): readonly ConnectionPool[] {
    return this.database.pools;
  }

  /** @throws DomainError `service.unavailable` when the database does not answer */
  async ping(): Promise<void> {
    await this.database.run((manager) => manager.query('SELECT 1'));
  }

  /** Runs several changes in one transaction (READ COMMITTED). */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  /** Calls back whenever jobs were inserted, and once after every (re)connect. Close what it returns. */
  listenForJobs(wake: () => void): Promise<JobSignal> {
    return JobSignal.listen(this.options.databaseUrl, wake);
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}
