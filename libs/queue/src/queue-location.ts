/** Where the queue lives: chosen once per process, and handed to everything that opens a part of it. */
export type QueueLocation = PostgresLocation | RedisLocation;

export interface PostgresLocation {
  readonly kind: 'postgres';
  readonly databaseUrl: string;
}

export interface RedisLocation {
  readonly kind: 'redis';
  readonly topology: RedisTopology;
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export type RedisTopology =
  | { readonly type: 'server'; readonly node: RedisNode; readonly database: number }
  | {
      readonly type: 'sentinel';
      readonly sentinels: readonly RedisNode[];
      /** The name under which the sentinels watch the master. */
      readonly masterName: string;
      /** Of the sentinels themselves, which may have one of their own or none. */
      readonly sentinelPassword?: string;
    }
  | { readonly type: 'cluster'; readonly nodes: readonly RedisNode[] };
