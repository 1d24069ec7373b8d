import { join } from 'node:path';
import type { MillraceClient, UploadBody } from '@millrace/contract';
import { eventually } from '@millrace/testing';
import { filesBelow } from './files-below.js';

/** 6 bytes each: more than the store gathers before it writes. */
const CHUNK_LINES = 1_000_000;
const CHUNK = new TextEncoder().encode('1,one\n'.repeat(CHUNK_LINES));

/** An upload that has sent its first bytes and keeps the rest back. */
export interface HeldUpload {
  /** Sends the rest. */
  release(): void;
  /** What the service answers in the end. */
  readonly answer: Promise<UploadBody>;
}

/** Size of the whole file of a held upload. */
export const HELD_UPLOAD_BYTES = 2 * CHUNK.length;

export function holdUpload(client: MillraceClient): HeldUpload {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(CHUNK),
    pull: async (controller) => {
      await released;
      controller.enqueue(CHUNK);
      controller.close();
    },
  });
  const answer = client.call('file.upload', { body, headers: { 'content-type': 'text/csv' } }).then((got) => got.body);
  // Whoever waits for the answer sees the error; a test that kills the service may not wait.
  answer.catch(() => undefined);
  return { release, answer };
}

/** Waits until a part of some upload is in the object store of a data folder. */
export async function untilUploading(dataFolder: string): Promise<void> {
  await eventually('the first bytes of an upload are stored', async () =>
    (await filesBelow(join(dataFolder, 'objects'))).some(
      ({ name, sizeBytes }) => name.endsWith('.part') && sizeBytes > 0,
    ),
  );
}
