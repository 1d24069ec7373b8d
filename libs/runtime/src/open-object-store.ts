import { join, resolve } from 'node:path';
import type { BlobRepository } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { ObjectStore } from '@millrace/domain';
import { FolderObjectStore } from '@millrace/object-store';

/** Below the data folder. */
const FOLDER_NAME = 'objects';

/**
 * Opens the store that the settings name. An empty folder is a new store only if the catalog knows no objects; otherwise
 * its disk is most likely not mounted, and a store that begins there would hide the files, and lose what is written until
 * the disk is back.
 *
 * @throws Error that says what is wrong, and how to go on
 */
export async function openObjectStore(environment: Environment, blobs: BlobRepository): Promise<ObjectStore> {
  const store = new FolderObjectStore(join(resolve(environment.DATA_DIR), FOLDER_NAME));
  if ((await store.isNew()) && (await blobs.knowsAny())) throw new Error(awayMessage(store));
  return store.open();
}

function awayMessage({ root, markerPath }: FolderObjectStore): string {
  return `The object store ${root} is empty, but the catalog knows of files in it. Its disk seems not to be mounted.
Mount it, and start again. If the files are really lost, mark the empty folder as the store:

  mkdir -p ${root} && touch ${markerPath}

Then Millrace starts. The tables whose files are lost are still listed, and reading them fails.`;
}
