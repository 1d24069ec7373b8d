import { DomainError } from '@millrace/domain';

/**
 * The keys on the way to the records: of `data.items` or `$.data.items`, or of a JSON Pointer (RFC 6901), `/data/items`,
 * for keys with dots in them.
 *
 * @throws DomainError `request.invalid`
 */
export function recordsPathKeys(path: string): string[] {
  if (path.startsWith('/')) {
    return path
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  const keys = path.replace(/^\$\.?/, '').split('.');
  if (!keys.includes('')) return keys;
  throw new DomainError(
    'request.invalid',
    'The option "records_path" names the keys on the way to the records: "data.items", or "/data/items".',
  );
}
