import type { TextEncoding } from '../../tasks/convert.task.js';

const NAMES: Readonly<Record<TextEncoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 (little endian)',
  'utf-16be': 'UTF-16 (big endian)',
  'latin-1': 'Latin-1',
  'windows-1252': 'Windows-1252',
};

/** An encoding as it is called in a sentence. */
export function encodingName(encoding: TextEncoding): string {
  return NAMES[encoding];
}
