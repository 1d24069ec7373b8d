import type { BlobRepository } from '@millrace/catalog';
import type { FolderObjectStore } from '@millrace/object-store';

/**
 * Opens the store. An empty folder is a new one only if the catalog knows no objects; otherwise its disk is most likely
 * not mounted, and a store that begins there would hide the files, and lose what is written until the disk is back.
 *
 * @throws Error that says how to go on
 */
export async function openStore(store: FolderObjectStore, blobs: BlobRepository): Promise<void> {
  if ((await store.isNew()) && (await blobs.knowsAny())) throw new Error(awayMessage(store));
  await store.open();
}

function awayMessage({ root, markerPath }: FolderObjectStore): string {
  return `The object store ${root} is empty, but the catalog knows of files in it. Its disk seems not to be mounted.
Mount it, and start again. If the files are really lost, mark the empty folder as the store:

  mkdir -p ${root} && touch ${markerPath}

Then Millrace starts. The tables whose files are lost are still listed, and reading them fails.`;
}
