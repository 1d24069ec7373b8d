import type { Column, TableProfile } from '@millrace/domain';

export const DATA_FORMATS = ['csv', 'json', 'parquet'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

export const COMPRESSIONS = ['none', 'gzip', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Of a text. Windows-1252 is Latin-1 with signs and letters in the place of most of its second control characters. */
export const TEXT_ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin-1', 'windows-1252'] as const;
export type TextEncoding = (typeof TEXT_ENCODINGS)[number];

/** A type that a person pins to a column: a plain name, or DECIMAL with precision and scale. */
export interface ColumnPin {
  readonly type: string;
  readonly precision?: number | undefined;
  readonly scale?: number | undefined;
}

/** How to read a CSV file; what is absent is found by looking at the file. */
export interface CsvOptions {
  readonly delimiter?: string | undefined;
  readonly quote?: string | undefined;
  readonly escape?: string | undefined;
  readonly header?: boolean | undefined;
  /** Lines to drop at the beginning. */
  readonly skip?: number | undefined;
  /** A character that starts a comment line. */
  readonly comment?: string | undefined;
  readonly null_strings?: readonly string[] | undefined;
  /** As in `strptime`. */
  readonly date_format?: string | undefined;
  readonly timestamp_format?: string | undefined;
  readonly decimal_separator?: string | undefined;
  /** Between groups of three digits. */
  readonly thousands_separator?: string | undefined;
  /** What happens to rows with too few fields; those with too many are always an error. */
  readonly ragged_rows?: 'error' | 'pad' | undefined;
}

export const JSON_LAYOUTS = ['auto', 'array', 'lines'] as const;
export type JsonLayout = (typeof JSON_LAYOUTS)[number];

/** How to read a JSON file. */
export interface JsonOptions {
  /** One array of records, or a record on each line; `auto` looks which. */
  readonly json_layout?: JsonLayout | undefined;
  /** Where the records are: `data.items`, or as a JSON Pointer `/data/items`. */
  readonly records_path?: string | undefined;
  /** Levels of objects and lists within a record that become types; what is deeper is kept as JSON. */
  readonly depth_max?: number | undefined;
  /** Whether the fields of objects become columns. */
  readonly nested?: 'nested' | 'flatten' | undefined;
}

/** How to read a file of any format; what fits the format of the file only is refused elsewhere. */
export interface FormatOptions extends CsvOptions, JsonOptions {
  /** Of CSV and JSON. What is absent is found by looking at the file. */
  readonly encoding?: TextEncoding | undefined;
  /** Of any format: the columns to keep, in this order. */
  readonly select?: readonly string[] | undefined;
}

export interface ConvertLimits {
  readonly columnsMax: number;
  /** A CSV line or a JSON value of the outermost array. */
  readonly lineBytesMax: number;
  /** Levels of lists and objects in JSON and Parquet. */
  readonly nestingMax: number;
  /** Bytes of the file after decompression. */
  readonly decompressedBytesMax: number;
  /** Decompressed bytes for each compressed one. */
  readonly compressionRatioMax: number;
}

export const DEFAULT_CONVERT_LIMITS: ConvertLimits = {
  columnsMax: 2_000,
  lineBytesMax: 16 * 1024 * 1024,
  nestingMax: 64,
  decompressedBytesMax: 200 * 1024 ** 3,
  compressionRatioMax: 1_000,
};

/** Turns an uploaded file into Parquet. */
export interface ConvertRequest {
  /** Local path of the uploaded bytes. */
  readonly file: string;
  readonly format?: DataFormat | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly fileName?: string | undefined;
  readonly options?: FormatOptions | undefined;
  /** Pinned types by column name. */
  readonly columns?: { readonly [name: string]: ColumnPin } | undefined;
  /** What is absent is `DEFAULT_CONVERT_LIMITS`. */
  readonly limits?: Partial<ConvertLimits> | undefined;
}

/** How a CSV file was read. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly header: boolean;
  readonly skip: number;
  readonly comment: string;
}

export interface ConvertAnswer {
  readonly format: DataFormat;
  readonly compression: Compression;
  /** Only of a text. */
  readonly encoding: TextEncoding | undefined;
  /** Only of a CSV file. */
  readonly dialect: CsvDialect | undefined;
  /** `nullable`: a NULL was seen. */
  readonly columns: readonly Column[];
  readonly rowCount: number;
  /** Null when it could not be made. */
  readonly profile: TableProfile | null;
  /** Sentences for people about what was decided for them. */
  readonly warnings: readonly string[];
}

export interface ConvertedFile {
  /** In a folder of the service. The caller moves or deletes it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly rowCount: number;
}

export interface ConvertResult extends ConvertAnswer {
  readonly files: readonly ConvertedFile[];
}
