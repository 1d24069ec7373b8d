import type { ErrorPlace, ErrorRecord } from '@millrace/domain';

/** A text as Postgres can keep it: neither NUL nor half a character, both of which values of rows may bring along. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** An error whose sentences may quote values of rows, as the catalog can keep it. */
export function storableError({ code, detail, errors }: ErrorRecord): ErrorRecord {
  return { code, detail: storableText(detail), ...(errors && { errors: errors.map(storablePlace) }) };
}

function storablePlace(place: ErrorPlace): ErrorPlace {
  const texts = Object.entries(place).map(([key, value]) => [
    key,
    typeof value === 'string' ? storableText(value) : value,
  ]);
  return Object.fromEntries(texts) as ErrorPlace;
}
