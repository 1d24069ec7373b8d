/** What DuckDB says about an error, with `errors_as_json` set. */
export interface DuckdbError {
  /** `Binder`, `Catalog`, `Conversion`, `Invalid Input`, `Out of Memory`, `INTERRUPT`, … */
  readonly type: string;
  readonly message: string;
  readonly subtype: string | undefined;
  /** For catalog errors, what was looked for: `Table`, `Scalar Function`, … */
  readonly entryType: string | undefined;
  /** UTF-8 bytes from the start of the text that was executed. */
  readonly position: number | undefined;
}

/** Reads an error of the DuckDB client; undefined when it is none of DuckDB's. */
export function readDuckdbError(error: unknown): DuckdbError | undefined {
  // Not `instanceof Error`: those of the native client may come from another realm than this module (test runners).
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  return typeof message === 'string' ? (readJsonForm(message) ?? readTextForm(message)) : undefined;
}

function readJsonForm(message: string): DuckdbError | undefined {
  const start = message.indexOf('{"exception_type"');
  if (start < 0) return undefined;
  try {
    const fields = JSON.parse(message.slice(start)) as Record<string, string | undefined>;
    return {
      type: fields['exception_type'] ?? '',
      message: fields['exception_message'] ?? '',
      subtype: fields['error_subtype'],
      entryType: fields['type'],
      position: fields['position'] === undefined ? undefined : Number(fields['position']),
    };
  } catch {
    return undefined;
  }
}

function readTextForm(message: string): DuckdbError | undefined {
  const match = /(?:^|: )([A-Z][A-Za-z ]+?) Error: ([^]*)$/.exec(message);
  if (!match) return undefined;
  return {
    type: match[1] ?? '',
    message: match[2] ?? '',
    subtype: undefined,
    entryType: undefined,
    position: undefined,
  };
}

/** Whether DuckDB, or the allocator below it, ran out of memory. */
export function isOutOfMemory(error: DuckdbError): boolean {
  return error.type === 'Out of Memory' || /bad_alloc|out of memory|failed to allocate/i.test(error.message);
}
