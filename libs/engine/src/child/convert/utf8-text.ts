import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConvertLimits, TextEncoding } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { conversionFailed } from './conversion-error.js';
import { DiskReserve, lookAtDiskOf } from './disk-reserve.js';
import { encodingName } from './encoding-name.js';
import { encodingOfHead } from './encoding-of-head.js';
import { guessEncoding } from './guess-encoding.js';
import { NotUtf8Error } from './not-utf8-error.js';
import { transcode } from './transcode.js';

/** A copy in UTF-8, in the scratch folder. */
const COPY_FILE = 'utf8';

export interface TextFile {
  readonly path: string;
  /** Its first bytes. */
  readonly head: Buffer;
  /** What people say that it is. */
  readonly saidEncoding: TextEncoding | undefined;
  readonly limits: ConvertLimits;
}

/** A text that can be read as UTF-8, and what it was. */
export interface Utf8Text {
  readonly path: string;
  readonly encoding: TextEncoding;
  readonly warnings: readonly string[];
}

/**
 * Runs work on a text in UTF-8: on the file itself, or on a copy when it is in another encoding. Bytes that nobody said
 * anything about count as UTF-8 until the work meets some that are not: so most files are not read once more for it.
 *
 * @throws DomainError `conversion.failed` when the bytes are not what they are said to be, or nothing that is known;
 *   `conversion.limit`, `storage.full`; what the work throws
 */
export async function withUtf8<T>(
  file: TextFile,
  context: TaskContext,
  work: (text: Utf8Text) => Promise<T>,
): Promise<T> {
  const { path, saidEncoding } = file;
  const { encoding, warnings } = knownEncoding(file);
  if (encoding !== 'utf-8') return withCopy(file, context, { encoding, warnings, work });
  try {
    return await work({ path, encoding, warnings });
  } catch (error) {
    if (!(error instanceof NotUtf8Error)) throw error;
    if (saidEncoding !== undefined) throw conversionFailed('The text is not UTF-8.', error.place);
    const guessed = await guessEncoding(path, error, context.signal);
    return withCopy(file, context, { encoding: guessed, warnings: [guessedBy(error)], work });
  }
}

function knownEncoding({ head, saidEncoding }: TextFile): Pick<Utf8Text, 'encoding' | 'warnings'> {
  const found = encodingOfHead(head);
  if (saidEncoding === undefined) {
    return found ? { encoding: found.encoding, warnings: shapedLike(found) } : { encoding: 'utf-8', warnings: [] };
  }
  if (found?.hasMark && found.encoding !== saidEncoding) {
    const [is, said] = [encodingName(found.encoding), encodingName(saidEncoding)];
    throw conversionFailed(`The file begins with the byte order mark of ${is}; it is not ${said}.`, { line: 1 });
  }
  return { encoding: saidEncoding, warnings: [] };
}

function shapedLike({ encoding, hasMark }: { readonly encoding: TextEncoding; readonly hasMark: boolean }): string[] {
  if (hasMark) return [];
  return [`The text has no byte order mark; it looks like ${encodingName(encoding)} and was read as that.`];
}

function guessedBy({ place: { line } }: NotUtf8Error): string {
  return (
    `The text is not UTF-8; it was read as Windows-1252, of which Latin-1 is a part. Line ${line} is the first that ` +
    'shows it. Give "encoding" if it is meant otherwise.'
  );
}

async function withCopy<T>(
  { path, limits }: TextFile,
  { scratchDir, signal, phases }: TaskContext,
  {
    encoding,
    warnings,
    work,
  }: Pick<Utf8Text, 'warnings'> & {
    readonly encoding: Exclude<TextEncoding, 'utf-8'>;
    readonly work: (text: Utf8Text) => Promise<T>;
  },
): Promise<T> {
  const target = join(scratchDir, COPY_FILE);
  phases.enter('unpack');
  const reserve = new DiskReserve(lookAtDiskOf(scratchDir));
  try {
    await transcode({ source: path, target, encoding, limits, reserve, signal });
    return await work({ path: target, encoding, warnings });
  } finally {
    await rm(target, { force: true });
  }
}
