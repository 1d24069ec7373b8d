import type { SavedQueryId, TenantId, UserId } from '@millrace/domain';
import { EntitySchema } from 'typeorm';
import { z } from 'zod';
import { identity, json, key, number, text, time } from './columns.js';

/** A parameter of a saved query. Without a default it must be given. */
export interface SavedParameter {
  readonly name: string;
  /** SQL type, as the contract lists them. */
  readonly type: string;
  readonly default?: string | number | boolean | null;
  readonly description?: string;
}

/** A row of `saved_queries`. What people see has the facts of a version, too. */
export interface SavedQueryRow {
  readonly tenantId: TenantId;
  readonly id: SavedQueryId;
  readonly userId: UserId;
  readonly name: string;
  readonly description: string;
  readonly latestVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A statement as it was saved once. */
export interface SavedQueryVersion {
  readonly tenantId: TenantId;
  readonly savedQueryId: SavedQueryId;
  readonly number: number;
  /** Who saved it. */
  readonly userId: UserId;
  readonly sql: string;
  readonly parameters: readonly SavedParameter[];
  readonly createdAt: Date;
}

const parameterList = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    default: z.union([z.string(), z.number(), z.boolean(), z.null()]).exactOptional(),
    description: z.string().exactOptional(),
  }),
);

export const SavedQueryEntity = new EntitySchema<SavedQueryRow>({
  name: 'saved_query',
  tableName: 'saved_queries',
  columns: {
    ...identity,
    userId: text('user_id'),
    name: text('name'),
    description: text('description'),
    latestVersion: number('latest_version'),
    createdAt: time('created_at'),
    updatedAt: time('updated_at'),
  },
});

export const SavedQueryVersionEntity = new EntitySchema<SavedQueryVersion>({
  name: 'saved_query_version',
  tableName: 'saved_query_versions',
  columns: {
    tenantId: key('tenant_id'),
    savedQueryId: key('saved_query_id'),
    number: { ...number('number'), primary: true },
    userId: text('user_id'),
    sql: text('sql'),
    parameters: json('parameters', parameterList),
    createdAt: time('created_at'),
  },
});
