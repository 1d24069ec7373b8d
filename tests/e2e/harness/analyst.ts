import type {
  ClientRequest,
  DatasetBody,
  MillraceClient,
  Problem,
  QueryAnswer,
  UploadBody,
  uploadSourceSchema,
} from '@millrace/contract';
import { eventually } from '@millrace/testing';
import type { z } from 'zod';
import { keptAnswer, type KeptAnswer } from './kept-answer.js';
import { problemOf } from './problems.js';

/** A file as a client sends it. */
export interface SentFile {
  readonly bytes: string | Uint8Array<ArrayBuffer>;
  /** Content type; the default says nothing about the format. */
  readonly type?: string;
  /** Content encoding. */
  readonly encoding?: string;
  readonly name?: string;
}

/** How the file is to be read: the source of a dataset without its upload. */
export type Reading = Omit<z.input<typeof uploadSourceSchema>, 'upload_id'>;

/** A table as SQL sees it. */
export interface TableSeen {
  readonly dataset: DatasetBody;
  /** Name and type of each column, with a `?` where a NULL was seen. */
  readonly columns: readonly string[];
  readonly rows: QueryAnswer['rows'];
}

export interface Refused {
  readonly problem: Problem;
  /** The upload afterwards. */
  readonly upload: UploadBody;
}

type QueryBody = NonNullable<ClientRequest<'query.run'>['body']>;

/** Somebody with a key who uploads files, makes tables of them and asks questions. */
export class Analyst {
  private tables = 0;

  constructor(readonly client: MillraceClient) {}

  async upload({ bytes, type = 'application/octet-stream', encoding, name }: SentFile): Promise<UploadBody> {
    const headers = {
      'content-type': type,
      ...(encoding !== undefined && { 'content-encoding': encoding }),
      ...(name !== undefined && { 'content-disposition': `attachment; filename="${name}"` }),
    };
    return (await this.client.call('file.upload', { body: bytes, headers })).body;
  }

  /** Makes a dataset of an upload, with a table name of its own. @throws ProblemError; Error when it takes a minute */
  async convert(upload: UploadBody, reading: Reading = {}): Promise<DatasetBody> {
    this.tables += 1;
    const { status, body } = await this.client.call('dataset.create', {
      body: { label: 'Table', table_name: `t${this.tables}`, source: { upload_id: upload.id, ...reading } },
      headers: { prefer: 'wait=60' },
    });
    if (status !== 201) throw new Error(`The dataset is still ${body.status} after a minute.`);
    return body;
  }

  /** Uploads, converts and reads all of it back. @throws Error when the counts of its rows disagree */
  async tableOf(file: SentFile, reading?: Reading): Promise<TableSeen> {
    const dataset = await this.convert(await this.upload(file), reading);
    const { rows, total_row_count: total, truncated } = await this.ask(`FROM datasets.${dataset.table_name}`);
    if (dataset.row_count !== total || (!truncated && rows.length !== total)) {
      throw new Error(`The dataset has ${dataset.row_count} rows, the query ${total}, its answer ${rows.length}.`);
    }
    const columns = dataset.columns.map(({ name, type, nullable }) => `${name} ${type}${nullable ? '?' : ''}`);
    return { dataset, columns, rows };
  }

  /** Uploads a file that no table can be made of. @throws Error when a table was made of it */
  async refusalOf(file: SentFile, reading?: Reading): Promise<Refused> {
    const { id, ...sent } = await this.upload(file);
    const problem = await problemOf(this.convert({ id, ...sent }, reading));
    return { problem, upload: (await this.client.call('file.get', { path: { id } })).body };
  }

  async ask(sql: string, more: Omit<QueryBody, 'sql'> = {}): Promise<KeptAnswer> {
    return keptAnswer(await this.look(sql, more));
  }

  /** Asks something whose answer may not be kept: EXPLAIN, DESCRIBE, SUMMARIZE, SHOW TABLES. */
  async look(sql: string, more: Omit<QueryBody, 'sql'> = {}): Promise<QueryAnswer> {
    return (await this.client.call('query.run', { body: { sql, ...more } })).body;
  }

  /** Asks, and waits until the result is a table; gives its id. It is not read: what was read has a local copy. */
  async keep(sql: string): Promise<string> {
    const { result_id: id } = await this.ask(sql);
    await eventually('the result is ready', async () => {
      const { body } = await this.client.call('result.list', { query: { status: 'ready' } });
      return body.results.some((result) => result.result_id === id);
    });
    return id;
  }

  async rows(sql: string, params?: QueryBody['params']): Promise<QueryAnswer['rows']> {
    return (await this.ask(sql, params && { params })).rows;
  }

  /** The problem that a statement ends with. */
  refusedSql(sql: string, more?: Omit<QueryBody, 'sql'>): Promise<Problem> {
    return problemOf(this.look(sql, more));
  }
}
