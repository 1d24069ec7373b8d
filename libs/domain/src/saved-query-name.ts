import { DomainError } from './domain-error.js';
import { isId } from './ids.js';

export const SAVED_QUERY_NAME_LENGTH_MAX = 128;

/**
 * Checks the name of a saved query, which stands in addresses.
 *
 * @throws DomainError `saved_query.name_invalid`
 */
export function checkSavedQueryName(name: string): void {
  const isPlain = /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) && name.length <= SAVED_QUERY_NAME_LENGTH_MAX;
  if (isPlain && !isId('savedQuery', name.toLowerCase())) return;
  throw new DomainError(
    'saved_query.name_invalid',
    `A name has 1 to ${SAVED_QUERY_NAME_LENGTH_MAX} characters, starts with an ASCII letter or "_", goes on with ASCII ` +
      'letters, digits, "_", "-" and ".", and does not look like an id.',
  );
}
