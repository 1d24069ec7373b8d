import Negotiator from 'negotiator';
import { TABLE_FORMATS, type AnswerFormat, type TableFormat } from '@millrace/contract';
import { DomainError } from '@millrace/domain';

/** What a caller says about the format of an answer. */
export interface FormatWish<F extends AnswerFormat> {
  /** Counts, whatever `accept` says. */
  readonly format?: F | undefined;
  /** The header of that name (RFC 9110, 12.5.1). */
  readonly accept?: string | undefined;
}

/**
 * The format to answer in.
 *
 * @param available those that `Accept` can choose from, the one for callers without a preference first
 * @throws DomainError `format.not_acceptable` when it asks for none of them
 */
export function negotiateFormat<F extends AnswerFormat>(
  { format, accept }: FormatWish<F>,
  available: readonly (F & TableFormat)[],
): F {
  if (format !== undefined) return format;
  // With their parameters, so that a caller may name them, too.
  const types = available.map((name) => TABLE_FORMATS[name].contentType);
  // An empty header is one that asks for nothing in particular.
  const chosen = new Negotiator({ headers: accept ? { accept } : {} }).mediaType(types);
  const name = available.find((each) => TABLE_FORMATS[each].contentType === chosen);
  if (name !== undefined) return name;
  const mediaTypes = available.map((each) => TABLE_FORMATS[each].mediaType);
  throw notAcceptable(`Nothing here is as "Accept" wants it. There is ${mediaTypes.join(', ')}.`);
}

/** @param detail says what there is instead */
export function notAcceptable(detail: string): DomainError {
  return new DomainError('format.not_acceptable', detail);
}
