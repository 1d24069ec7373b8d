import type { Column } from '@millrace/domain';
import {
  canBeTable,
  PARAMETERS_MAX,
  STATEMENT_FORMS,
  TABLE_REFERENCES_MAX,
  type AnalyzedStatement,
  type TableReference,
} from '@millrace/sql';
import { z } from 'zod';
import type { AnalyzeAnswer } from '../tasks/analyze.task.js';
import { COMPRESSIONS, type ConvertAnswer, DATA_FORMATS, TEXT_ENCODINGS } from '../tasks/convert.task.js';
import type { DescribeResult } from '../tasks/describe.task.js';
import type { ExportAnswer } from '../tasks/export.task.js';
import type { ParseResult } from '../tasks/parse.task.js';
import type { QueryAnswer } from '../tasks/query.task.js';
import type { ReadResult } from '../tasks/read.task.js';
import type { WireTask } from '../tasks/task.js';
import { tableProfile } from './checked-profile.js';

/** An answer that is what its task asks for. The file that belongs to it lies where the task said, not where a child says. */
export type CheckedAnswer =
  ParseResult | DescribeResult | QueryAnswer | ReadResult | AnalyzeAnswer | ConvertAnswer | ExportAnswer;

/** `[]` is longer than an answer of no bytes. */
const NO_ROWS_BYTES = 2;

const count = z.int().nonnegative();

const columns: z.ZodType<readonly Column[]> = z.array(
  z.object({ name: z.string(), type: z.string(), nullable: z.boolean() }),
);

const tableFields: z.ZodType<TableReference> = z.object({
  schema: z.enum(['datasets', 'results']),
  name: z.string(),
  alias: z
    .string()
    .optional()
    .transform((alias) => alias),
  version: z
    .discriminatedUnion('unit', [
      z.object({ unit: z.literal('version'), value: z.int() }),
      z.object({ unit: z.literal('timestamp'), value: z.string() }),
    ])
    .optional()
    .transform((version) => version),
  nameParts: z.int().min(2).max(3),
  byteOffset: count,
  place: z.object({ line: z.int().positive(), column: z.int().positive() }),
});

/** The catalog is asked for these names, so they are as the gate lets them through. */
const tableReference = tableFields.refine(({ schema, name }) => canBeTable(schema, name));

const statement: z.ZodType<AnalyzedStatement> = z.object({
  form: z.enum(STATEMENT_FORMS),
  tables: z.array(tableReference).max(TABLE_REFERENCES_MAX),
  parameters: z.array(z.string()).max(PARAMETERS_MAX),
  isVolatile: z.boolean(),
});

const parseSchema: z.ZodType<ParseResult> = z.object({ statement, fingerprint: z.string().regex(/^[0-9a-f]{64}$/) });

const describeSchema: z.ZodType<DescribeResult> = z.object({ columns });

const querySchema: z.ZodType<Omit<QueryAnswer, 'rowsJson'>> = z.object({
  columns,
  rowCount: count,
  rowsReturned: count,
  truncated: z.boolean(),
  executionTimeMs: z.number().nonnegative(),
});

const readSchema: z.ZodType<Omit<ReadResult, 'rowsJson'>> = z.object({
  rowsReturned: count,
  totalRowCount: count,
  truncated: z.boolean(),
});

const dialect = z.object({
  delimiter: z.string(),
  quote: z.string(),
  escape: z.string(),
  header: z.boolean(),
  skip: count,
  comment: z.string(),
});

/** JSON has no `undefined`: what is so is absent on the way. */
type Sent<A, K extends keyof A> = Omit<A, K> & Partial<Pick<A, K>>;

const found = {
  format: z.enum(DATA_FORMATS),
  compression: z.enum(COMPRESSIONS),
  encoding: z.enum(TEXT_ENCODINGS).optional(),
  dialect: dialect.optional(),
  columns,
  warnings: z.array(z.string()),
};

const analyzeSchema: z.ZodType<Sent<Omit<AnalyzeAnswer, 'rowsJson'>, 'encoding' | 'dialect'>> = z.object({
  ...found,
  isComplete: z.boolean(),
  rowCount: count.nullable(),
  rowEstimate: count,
  rowsReturned: count,
});

const convertSchema: z.ZodType<Sent<ConvertAnswer, 'encoding' | 'dialect'>> = z.object({
  ...found,
  rowCount: count,
  profile: tableProfile.nullable(),
});

const exportSchema: z.ZodType<ExportAnswer> = z.object({ rowCount: count });

/** UTF-8 bytes of the text beside an answer, at most. */
export function answerTextBytesMax(task: WireTask): number {
  switch (task.kind) {
    case 'query':
    case 'inspect':
    case 'read':
    case 'analyze':
      return Math.max(NO_ROWS_BYTES, task.answerBytesMax);
    case 'parse':
    case 'describe':
    case 'convert':
    case 'export':
      return 0;
  }
}

/** What a child answers, if it is an answer to its task. Of the text with the rows only the ends are looked at. */
export function checkAnswer(task: WireTask, answer: unknown, text: string): CheckedAnswer | undefined {
  switch (task.kind) {
    case 'parse':
      return parseSchema.safeParse(answer).data;
    case 'describe':
      return describeSchema.safeParse(answer).data;
    case 'query':
    case 'inspect': {
      const { data } = querySchema.safeParse(answer);
      return data && isPage(text, data.rowsReturned, task.rowsMax) ? { ...data, rowsJson: text } : undefined;
    }
    case 'read': {
      const { data } = readSchema.safeParse(answer);
      return data && isPage(text, data.rowsReturned, task.limit) ? { ...data, rowsJson: text } : undefined;
    }
    case 'analyze': {
      const { data } = analyzeSchema.safeParse(answer);
      const isPageOf = data && isPage(text, data.rowsReturned, task.rowsMax);
      return isPageOf ? { ...data, encoding: data.encoding, dialect: data.dialect, rowsJson: text } : undefined;
    }
    case 'convert': {
      const { data } = convertSchema.safeParse(answer);
      return data && { ...data, encoding: data.encoding, dialect: data.dialect };
    }
    case 'export':
      return exportSchema.safeParse(answer).data;
  }
}

function isPage(text: string, rowsReturned: number, rowsMax: number): boolean {
  return rowsReturned <= rowsMax && text.startsWith('[') && text.endsWith(']');
}
