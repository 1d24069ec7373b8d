import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { TREE_VERSION } from '@millrace/sql';
import type { ChildConfig } from '../pool/wire.js';
import { quoteList, quoteLiteral } from '../types/sql-text.js';

/** What may still be set: the progress of a connection, and `disabled_optimizers` for statements of our own. */
const OPEN_SETTINGS = ['disabled_optimizers', 'enable_progress_bar', 'enable_progress_bar_print'];

/** The files that an instance may reach besides the scratch folder. */
export type ReadableFiles = { readonly folder: string } | { readonly files: readonly string[] };

interface Setting {
  readonly name: string;
  /** As SQL. */
  readonly value: string;
  /** Whether DuckDB took it, judged by how it shows the setting. */
  readonly isTaken: (shown: string) => boolean;
}

/**
 * Sets an instance up and locks it, then reads every setting back, over another connection: a plain SET of some
 * settings (TimeZone, errors_as_json) holds for its own connection only, hence SET GLOBAL. The order matters: what is
 * set after `enable_external_access=false` or `lock_configuration` is refused.
 *
 * @throws Error when DuckDB shows a setting otherwise than it was set
 */
export async function lockDown(instance: DuckDBInstance, config: ChildConfig, readable: ReadableFiles): Promise<void> {
  const connection = await instance.connect();
  const settings = settingsOf(config, readable);
  for (const { name, value } of settings) await connection.run(`SET GLOBAL ${name}=${value}`);
  for (const catalog of ['datasets', 'results']) await connection.run(`ATTACH ':memory:' AS ${catalog}`);
  const locks = [exactly('enable_external_access', false), exactly('lock_configuration', true)];
  for (const { name, value } of locks) await connection.run(`SET GLOBAL ${name}=${value}`);
  const other = await instance.connect();
  await prepareConnection(other);
  await readBack(other, [...settings, ...locks]);
  other.closeSync();
  connection.closeSync();
}

/** What DuckDB keeps for each connection and not for the instance: telling the progress, but not on stdout. */
export async function prepareConnection(connection: DuckDBConnection): Promise<void> {
  await connection.run('SET enable_progress_bar=true; SET enable_progress_bar_print=false');
}

function settingsOf(config: ChildConfig, readable: ReadableFiles): Setting[] {
  const tempDir = `${config.scratchDir}/tmp`;
  const folders = [
    `${config.scratchDir}/`,
    `${config.pipesDir}/`,
    ...('folder' in readable ? [`${readable.folder}/`] : []),
  ];
  const files = 'files' in readable ? readable.files : [];
  return [
    text('temp_directory', tempDir),
    bytes('max_temp_directory_size', config.spillBytesMax),
    bytes('memory_limit', config.memoryLimitBytes),
    exactly('threads', config.threads),
    exactly('autoinstall_known_extensions', false),
    exactly('autoload_known_extensions', false),
    exactly('allow_community_extensions', false),
    exactly('allow_persistent_secrets', false),
    text('TimeZone', 'UTC'),
    exactly('parquet_metadata_cache', true),
    exactly('errors_as_json', true),
    // The form of a syntax tree; nothing is stored that it could matter to.
    ...(config.role === 'parse' ? [text('storage_compatibility_version', TREE_VERSION)] : []),
    // DuckDB adds its temp directory to the list by itself.
    paths('allowed_directories', folders, [...folders, `${tempDir}/`]),
    paths('allowed_paths', files, files),
    paths('allowed_configs', OPEN_SETTINGS, OPEN_SETTINGS),
  ];
}

function exactly(name: string, value: boolean | number): Setting {
  return { name, value: String(value), isTaken: (shown) => shown === String(value) };
}

function text(name: string, value: string): Setting {
  return { name, value: quoteLiteral(value), isTaken: (shown) => shown === value };
}

function paths(name: string, list: readonly string[], expected: readonly string[]): Setting {
  const sorted = (items: readonly string[]): string => [...items].sort().join(', ');
  return {
    name,
    value: list.length === 0 ? '[]' : quoteList(list),
    isTaken: (shown) =>
      sorted(
        shown
          .replace(/^\[|\]$/g, '')
          .split(', ')
          .filter(Boolean),
      ) === sorted(expected),
  };
}

const UNITS: Record<string, number> = { bytes: 1, byte: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** DuckDB shows sizes with one digit behind the point, cut. */
function bytes(name: string, value: number): Setting {
  return {
    name,
    value: `'${value}B'`,
    isTaken: (shown) => {
      const [, number = '', unit = ''] = /^([\d.]+) (\w+)$/.exec(shown) ?? [];
      const scale = UNITS[unit] ?? Number.NaN;
      return Math.abs(Number(number) * scale - value) <= 0.1 * scale;
    },
  };
}

async function readBack(connection: DuckDBConnection, settings: readonly Setting[]): Promise<void> {
  const reader = await connection.runAndReadAll('SELECT name, value FROM duckdb_settings()');
  const shown = new Map(reader.getRows().map(([name, value]) => [String(name), String(value)]));
  for (const { name, isTaken } of settings) {
    const value = shown.get(name);
    if (value === undefined || !isTaken(value)) throw new Error(`The setting ${name} was not taken: ${value}`);
  }
}
