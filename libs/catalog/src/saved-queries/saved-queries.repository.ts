import { DomainError, isId, type SavedQueryId, type TenantId, type UserId } from '@millrace/domain';
import type { Database, Transaction } from '../database/database.js';
import { cutPage, pageOf, pageRows, type Page, type PageRequest } from '../database/page.js';
import { findRow, likeLiteral, NOW } from '../database/sql.js';
import { insertRow, updateRow } from '../database/transition.js';
import {
  SavedQueryEntity,
  SavedQueryVersionEntity,
  type SavedParameter,
  type SavedQueryRow,
  type SavedQueryVersion,
} from '../schema/saved-query.entity.js';

/** A saved query with the statement of one of its versions. */
export interface SavedQuery extends Omit<SavedQueryRow, 'tenantId'> {
  readonly tenantId: TenantId;
  readonly version: SavedQueryVersion;
}

/** What is saved of a statement. */
export interface SavedStatement {
  readonly sql: string;
  readonly parameters: readonly SavedParameter[];
}

export interface NewSavedQuery extends SavedStatement {
  readonly tenantId: TenantId;
  readonly id: SavedQueryId;
  readonly userId: UserId;
  readonly name: string;
  readonly description: string;
}

export interface SavedQueryChange {
  /** Who changes it. */
  readonly userId: UserId;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Makes a new version. */
  readonly statement?: SavedStatement | undefined;
}

export interface SavedQueryFilter {
  /** The beginning of the name, in any case. */
  readonly namePrefix?: string | undefined;
}

/** Statements that people keep under a name. All of a tenant see them. */
export class SavedQueryRepository {
  constructor(private readonly database: Database) {}

  /** @throws DomainError `saved_query.name_taken` */
  async create({ sql, parameters, ...query }: NewSavedQuery): Promise<SavedQuery> {
    const { tenantId, id, userId } = query;
    await this.database.transaction(async (transaction) => {
      await insertRow(transaction, SavedQueryEntity, query);
      const version = { tenantId, savedQueryId: id, number: 1, userId, sql, parameters };
      await insertRow(transaction, SavedQueryVersionEntity, version);
    });
    return this.get(tenantId, id);
  }

  /**
   * A saved query by its id, or by its name in any case.
   *
   * @param version the newest when left out
   * @throws DomainError `saved_query.not_found`
   */
  async get(tenantId: TenantId, reference: string, version?: number): Promise<SavedQuery> {
    return this.database.run(async (manager) => {
      const query = await findByReference(manager, tenantId, reference);
      if (!query) throw notFound();
      return withVersion(manager, query, version ?? query.latestVersion);
    });
  }

  async list(tenantId: TenantId, request: PageRequest<SavedQueryId> & SavedQueryFilter): Promise<Page<SavedQuery>> {
    return this.database.run(async (manager) => {
      const query = manager.createQueryBuilder(SavedQueryEntity, 'row').where('row.tenantId = :tenantId', { tenantId });
      const { namePrefix } = request;
      if (namePrefix !== undefined) query.andWhere('row.name ILIKE :prefix', { prefix: `${likeLiteral(namePrefix)}%` });
      const page = await pageOf(query, request);
      return { ...page, items: await withNewestVersions(manager, tenantId, page.items) };
    });
  }

  /**
   * The versions of a saved query, newest first.
   *
   * @param before only those with a smaller number
   * @throws DomainError `saved_query.not_found`
   */
  async listVersions(
    tenantId: TenantId,
    reference: string,
    { limit, before }: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<Page<SavedQueryVersion>> {
    return this.database.run(async (manager) => {
      const query = await findByReference(manager, tenantId, reference);
      if (!query) throw notFound();
      const versions = manager
        .createQueryBuilder(SavedQueryVersionEntity, 'row')
        .where('row.tenantId = :tenantId AND row.savedQueryId = :id', { tenantId, id: query.id });
      if (before !== undefined) versions.andWhere('row.number < :before', { before });
      const rows = await versions
        .orderBy('row.number', 'DESC')
        .limit(pageRows(limit) + 1)
        .getMany();
      return cutPage(rows, limit);
    });
  }

  /** @throws DomainError `saved_query.not_found`, `saved_query.name_taken` */
  async update(tenantId: TenantId, id: SavedQueryId, change: SavedQueryChange): Promise<SavedQuery> {
    const { userId, name, description, statement } = change;
    await this.database.transaction(async (transaction) => {
      const number = await lockNewest(transaction, tenantId, id);
      if (number === undefined) throw notFound();
      const latestVersion = statement ? number + 1 : number;
      if (statement) {
        const version = { tenantId, savedQueryId: id, number: latestVersion, userId, ...statement };
        await insertRow(transaction, SavedQueryVersionEntity, version);
      }
      const set = {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...{ latestVersion, updatedAt: NOW },
      };
      await updateRow(transaction, SavedQueryEntity, { where: { tenantId, id }, set });
    });
    return this.get(tenantId, id);
  }

  /** Deletes all of its versions. @throws DomainError `saved_query.not_found` */
  async delete(tenantId: TenantId, id: SavedQueryId): Promise<void> {
    const { affected } = await this.database.run((manager) =>
      manager.getRepository(SavedQueryEntity).delete({ tenantId, id }),
    );
    if (affected === 0) throw notFound();
  }
}

function findByReference(manager: Transaction, tenantId: TenantId, reference: string): Promise<SavedQueryRow | null> {
  const query = manager.createQueryBuilder(SavedQueryEntity, 'row').where('row.tenantId = :tenantId', { tenantId });
  if (isId('savedQuery', reference)) query.andWhere('row.id = :reference', { reference });
  else query.andWhere('lower(row.name) = lower(:reference)', { reference });
  return query.getOne();
}

async function withVersion(manager: Transaction, query: SavedQueryRow, number: number): Promise<SavedQuery> {
  const { tenantId, id: savedQueryId } = query;
  const versions = manager.getRepository(SavedQueryVersionEntity);
  const version = await versions.findOneBy({ tenantId, savedQueryId, number });
  if (version) return { ...query, version };
  throw new DomainError('saved_query.not_found', `"${query.name}" has no version ${number}.`);
}

async function withNewestVersions(
  manager: Transaction,
  tenantId: TenantId,
  queries: readonly SavedQueryRow[],
): Promise<SavedQuery[]> {
  if (queries.length === 0) return [];
  const versions = await manager
    .createQueryBuilder(SavedQueryVersionEntity, 'version')
    .innerJoin(
      'saved_queries',
      'query',
      'query.tenant_id = version.tenant_id AND query.id = version.saved_query_id AND query.latest_version = version.number',
    )
    .where('version.tenantId = :tenantId AND version.savedQueryId IN (:...ids)', {
      tenantId,
      ids: queries.map(({ id }) => id),
    })
    .getMany();
  const newest = new Map(versions.map((version) => [version.savedQueryId, version]));
  return queries.flatMap((query) => {
    const version = newest.get(query.id);
    return version ? [{ ...query, version }] : [];
  });
}

/** Writers take turns, so that versions have numbers without gaps. */
async function lockNewest(transaction: Transaction, tenantId: TenantId, id: SavedQueryId): Promise<number | undefined> {
  const row = await findRow<{ number: number }>(
    transaction,
    'SELECT latest_version AS number FROM saved_queries WHERE tenant_id = $1 AND id = $2 FOR UPDATE',
    [tenantId, id],
  );
  return row?.number;
}

function notFound(): DomainError {
  return new DomainError('saved_query.not_found', 'There is no saved query with this id or name.');
}
