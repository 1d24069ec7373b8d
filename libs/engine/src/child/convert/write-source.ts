import type { ConvertLimits } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { type Effort, EffortFailedError } from './effort.js';
import type { TableSource } from './table-source.js';
import type { WrittenDataset } from './write-dataset.js';
import { writeProven } from './write-proven.js';

/** Looks at a file with so much effort. */
export type SourceOpener = (effort: Effort) => Promise<TableSource>;

export interface ConvertedSource {
  readonly source: TableSource;
  readonly written: WrittenDataset;
}

/**
 * Writes a file as a table. Types come from a sample first; when a value does not fit, they come from the whole file.
 *
 * @throws DomainError `conversion.*` for what is wrong with the file
 */
export async function writeSource(
  open: SourceOpener,
  { decompressedBytesMax }: ConvertLimits,
  context: TaskContext,
): Promise<ConvertedSource> {
  let effort: Effort = 'guarded';
  for (;;) {
    const outcome = await tryWrite(() => open(effort), decompressedBytesMax, context);
    if (typeof outcome !== 'string') return outcome;
    effort = outcome;
  }
}

/** Or the effort that it takes. */
async function tryWrite(
  open: () => Promise<TableSource>,
  bytesMax: number,
  context: TaskContext,
): Promise<ConvertedSource | Effort> {
  context.phases.enter('look');
  const source = await open().catch(effortOf);
  if (typeof source === 'string') return source;
  context.phases.enter('write');
  try {
    return { source, written: await writeProven(context, source, bytesMax) };
  } catch (error) {
    const effort = error instanceof EffortFailedError ? error.next : source.effortAfter(error);
    if (effort === undefined) throw await source.explain(error);
    return effort;
  }
}

function effortOf(error: unknown): Effort {
  if (error instanceof EffortFailedError) return error.next;
  throw error;
}
