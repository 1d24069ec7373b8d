import { DomainError, type ErrorPlace } from '@millrace/domain';

const TEXT_LENGTH_MAX = 200;

/** Where and what is wrong in a file. */
export interface FilePlace {
  readonly line?: number | undefined;
  readonly columnName?: string | undefined;
  /** The offending text. */
  readonly text?: string | undefined;
}

/** `conversion.failed` with its place; the text is cut. */
export function conversionFailed(
  message: string,
  { line, columnName, text }: FilePlace = {},
  cause?: unknown,
): DomainError {
  const place: ErrorPlace = {
    message,
    ...(line !== undefined && { line }),
    ...(columnName !== undefined && { column_name: columnName }),
    ...(text !== undefined && { text: cut(text) }),
  };
  return new DomainError('conversion.failed', line === undefined ? message : `Line ${line}: ${message}`, {
    cause,
    errors: [place],
  });
}

export function noRows(message: string): DomainError {
  return new DomainError('conversion.no_rows', message);
}

export function beyondLimit(message: string): DomainError {
  return new DomainError('conversion.limit', message);
}

function cut(text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
}
