import type { TaskContext } from '../task-context.js';
import { EffortFailedError } from './effort.js';
import type { TableSource } from './table-source.js';
import { writeDataset, type WrittenDataset } from './write-dataset.js';

const INTERRUPT_EVERY_MS = 20;

/**
 * Writes a source and proves it at the same time. What was written counts when the proof is done, too; one that fails
 * ends the writing.
 *
 * @throws EffortFailedError of the proof; what `writeDataset` throws
 */
export async function writeProven(
  context: TaskContext,
  source: TableSource,
  bytesMax: number,
): Promise<WrittenDataset> {
  if (source.prove === undefined) return writeDataset(context, source, bytesMax);
  const written = new AbortController();
  const proof = source.prove(AbortSignal.any([context.signal, written.signal]));
  let interrupter: NodeJS.Timeout | undefined;
  let failure: { readonly reason: unknown } | undefined;
  const proved = proof.catch((reason: unknown) => {
    failure = { reason };
    // Again and again: an interrupt between two statements would be lost.
    if (!written.signal.aborted) interrupter = setInterval(() => context.connection.interrupt(), INTERRUPT_EVERY_MS);
  });
  try {
    const dataset = await writeDataset(context, source, bytesMax);
    await proved;
    if (failure) throw failure.reason;
    return dataset;
  } catch (error) {
    throw failure?.reason instanceof EffortFailedError ? failure.reason : error;
  } finally {
    clearInterval(interrupter);
    written.abort();
    await proved;
  }
}
