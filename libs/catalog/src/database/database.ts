import 'reflect-metadata';
import { DataSource, type EntityManager } from 'typeorm';
import pg from 'pg';
import { ENTITIES } from '../schema/entities.js';
import { fromDatabaseError } from './database-error.js';

/** An open transaction, to be passed on to whatever has to happen in it. */
export type Transaction = EntityManager;

export interface DatabaseOptions {
  readonly databaseUrl: string;
  /** Connections at most; half as many come on top for `runRelaxed`. */
  readonly poolMax?: number;
  /** How Postgres shows these connections in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** Longest time of one statement; the longest wait for a lock is half of it. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Told of connections that break while nobody uses them. The pool replaces them by itself. */
  readonly onError?: (error: Error) => void;
}

/** The connections of one kind at this moment. */
export interface ConnectionPool {
  readonly pool: 'durable' | 'relaxed';
  readonly inUse: number;
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
}

export const POOL_MAX = 10;
export const STATEMENT_TIMEOUT_MS = 15_000;
export const CONNECT_TIMEOUT_MS = 5_000;
/** How much longer than the server the client waits for an answer. */
const ANSWER_GRACE_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;

/** The pools of connections. The ways in turn errors of the database into errors of the domain. */
export class Database {
  private constructor(
    private readonly source: DataSource,
    private readonly relaxedSource: DataSource,
  ) {}

  /** @throws DomainError `service.unavailable` when the database does not answer */
  static async open(options: DatabaseOptions): Promise<Database> {
    const source = sourceOf(options, poolSettings(options));
    const relaxed = sourceOf(options, {
      ...poolSettings(options),
      ...RELAXED,
      max: Math.ceil((options.poolMax ?? POOL_MAX) / 2),
    });
    await mapped(() => source.initialize());
    const database = new Database(source, relaxed);
    await mapped(() => relaxed.initialize()).catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
    return database;
  }

  get pools(): readonly ConnectionPool[] {
    return [poolOf('durable', this.source), poolOf('relaxed', this.relaxedSource)];
  }

  /** Runs statements that need no common transaction. */
  run<T>(work: (manager: Transaction) => Promise<T>): Promise<T> {
    return mapped(() => work(this.source.manager));
  }

  /**
   * Like `run`, for statements that a crash of the database may undo, at most those of the last 0.6 s: where nobody was told
   * of them yet, and whatever was built on them is undone or found by a sweeper. All commits have one order: none is lost
   * unless all younger ones are, so that the next commit that waits for the disk takes them along.
   */
  runRelaxed<T>(work: (manager: Transaction) => Promise<T>): Promise<T> {
    return mapped(() => work(this.relaxedSource.manager));
  }

  /** Like `transaction`, on the terms of `runRelaxed`. */
  transactionRelaxed<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return mapped(() => this.relaxedSource.transaction(work));
  }

  /** Runs statements in one transaction (READ COMMITTED); an error rolls all of it back. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return mapped(() => this.source.transaction(work));
  }

  async close(): Promise<void> {
    const open = [this.source, this.relaxedSource].filter((source) => source.isInitialized);
    await Promise.all(open.map((source) => source.destroy()));
  }
}

/** Commits do not wait for the disk: https://www.postgresql.org/docs/current/wal-async-commit.html */
const RELAXED: pg.PoolConfig = { options: '-c synchronous_commit=off' };

function sourceOf({ databaseUrl, onError }: DatabaseOptions, extra: pg.PoolConfig): DataSource {
  return new DataSource({
    type: 'postgres',
    url: databaseUrl,
    entities: [...ENTITIES],
    synchronize: false,
    installExtensions: false,
    logging: false,
    poolErrorHandler: onError ?? (() => undefined),
    extra,
  });
}

function poolOf(pool: ConnectionPool['pool'], source: DataSource): ConnectionPool {
  // TypeORM keeps the pool there, and does not say so in the type of all drivers.
  const { master } = source.driver as unknown as { readonly master: pg.Pool };
  const { totalCount, idleCount, waitingCount } = master;
  return { pool, inUse: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fromDatabaseError(error);
  }
}

function poolSettings(options: DatabaseOptions): pg.PoolConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  return {
    max: options.poolMax ?? POOL_MAX,
    application_name: options.applicationName ?? 'millrace',
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    lock_timeout: Math.ceil(statementTimeoutMs / 2),
    query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: parserOf },
    onConnect: outliveItsConnection,
  };
}

/**
 * A client whose connection ends while no query runs on it has nobody else to tell, and an `error` without a listener ends
 * the process. Those who take the client listen a moment after the pool has stopped to. The next query tells what was lost.
 */
function outliveItsConnection(client: pg.ClientBase): void {
  client.on('error', () => undefined);
}

/** Counts and sizes are numbers: none comes near 2^53. Everything else as pg does it. */
const parserOf: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text');
