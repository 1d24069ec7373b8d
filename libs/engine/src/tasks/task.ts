import type { AnalyzeAnswer, AnalyzeRequest } from './analyze.task.js';
import type { ConvertAnswer, ConvertRequest, ConvertResult } from './convert.task.js';
import type { DescribeRequest, DescribeResult } from './describe.task.js';
import type { ExportAnswer, ExportRequest } from './export.task.js';
import type { InspectAnswer, InspectRequest } from './inspect.task.js';
import type { ParseRequest, ParseResult } from './parse.task.js';
import type { QueryAnswer, QueryRequest, QueryResult } from './query.task.js';
import type { ReadRequest, ReadResult } from './read.task.js';

/** Each kind of task: what is asked, what the child answers, what the caller gets. */
export interface TaskKinds {
  parse: { request: ParseRequest; answer: ParseResult; result: ParseResult };
  query: { request: QueryRequest; answer: QueryAnswer; result: QueryResult };
  describe: { request: DescribeRequest; answer: DescribeResult; result: DescribeResult };
  inspect: { request: InspectRequest; answer: InspectAnswer; result: InspectAnswer };
  read: { request: ReadRequest; answer: ReadResult; result: ReadResult };
  analyze: { request: AnalyzeRequest; answer: AnalyzeAnswer; result: AnalyzeAnswer };
  convert: { request: ConvertRequest; answer: ConvertAnswer; result: ConvertResult };
  export: { request: ExportRequest; answer: ExportAnswer; result: ExportAnswer };
}

export type TaskKind = keyof TaskKinds;

/** A task as callers write it: `{ kind: 'query', sql, … }`. */
export type EngineTask<K extends TaskKind = TaskKind> = { [P in K]: { readonly kind: P } & TaskKinds[P]['request'] }[K];

export type TaskResult<K extends TaskKind> = TaskKinds[K]['result'];

/**
 * A task on its way to a child: its paths lie in the child's folder. `outputPath` is a fresh name in the child's
 * scratch folder, where a query or convert task writes its file, or the pipe of an export.
 */
export type WireTask = EngineTask & { readonly outputPath: string };

export type TaskAnswer = TaskKinds[TaskKind]['answer'];
