import { z } from 'zod';

interface MediaFormat {
  /** What `Accept` asks for. */
  readonly mediaType: string;
  /** What `Content-Type` says. */
  readonly contentType: string;
}

/** What a whole table can be had as, the one that is sent when a caller has no preference first. */
export const TABLE_FORMATS = {
  parquet: { mediaType: 'application/vnd.apache.parquet', contentType: 'application/vnd.apache.parquet' },
  arrow: { mediaType: 'application/vnd.apache.arrow.stream', contentType: 'application/vnd.apache.arrow.stream' },
  csv: { mediaType: 'text/csv', contentType: 'text/csv; charset=utf-8; header=present' },
  json: { mediaType: 'application/json', contentType: 'application/json; charset=utf-8' },
  ndjson: { mediaType: 'application/x-ndjson', contentType: 'application/x-ndjson; charset=utf-8' },
} as const satisfies Record<string, MediaFormat>;

export type TableFormat = keyof typeof TABLE_FORMATS;

const tableFormatNames = Object.keys(TABLE_FORMATS) as [TableFormat, ...TableFormat[]];

/** Of tables in the place of an answer that is JSON. */
export const TABLE_MEDIA_TYPES = tableFormatNames.flatMap((name) =>
  name === 'json' ? [] : [TABLE_FORMATS[name].mediaType],
);

export const tableFormatSchema = z.enum(tableFormatNames);

/** Rows within JSON that says more: as arrays, or as objects by the names of the columns. */
export const ROW_FORMATS = ['json', 'objects'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

export const rowFormatSchema = z.enum(ROW_FORMATS);

/** What rows can be answered as: within JSON, or as a table alone. */
export type AnswerFormat = RowFormat | TableFormat;

/** An answer that is a table alone. */
export type TableAnswerFormat = Exclude<AnswerFormat, RowFormat>;

export const answerFormatSchema = z.enum([...ROW_FORMATS, ...tableFormatNames.filter((name) => name !== 'json')] as [
  AnswerFormat,
  ...AnswerFormat[],
]);

export const downloadQuerySchema = z.strictObject({
  format: tableFormatSchema
    .optional()
    .meta({ description: 'What to send, whatever `Accept` says; Parquet when neither asks for anything.' }),
});

/** For the document: who serves a download reads them itself. */
export const downloadHeadersSchema = z.object({
  'If-None-Match': z.string().optional().meta({ description: '`ETag`s that the caller has: 304 for one of them.' }),
  Range: z.string().optional().meta({ description: 'Parquet only: one range of bytes.', example: 'bytes=0-1023' }),
  'If-Range': z
    .string()
    .optional()
    .meta({ description: 'The `ETag` that the range belongs to; all bytes if it is another.' }),
});
