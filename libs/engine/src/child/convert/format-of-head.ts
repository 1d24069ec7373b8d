import type { ConvertRequest, DataFormat } from '../../tasks/convert.task.js';
import { detectFormat } from './detect-format.js';
import { encodingOfHead, headAsUtf8 } from './encoding-of-head.js';

/**
 * The format of a file, in whatever encoding it is.
 *
 * @param head the first bytes, unpacked but not decoded
 * @throws DomainError `conversion.format_unknown`
 */
export function formatOf(request: ConvertRequest, head: Buffer): DataFormat {
  const encoding = request.options?.encoding ?? encodingOfHead(head)?.encoding ?? 'utf-8';
  return detectFormat(request, headAsUtf8(head, encoding));
}
