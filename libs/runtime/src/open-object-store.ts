import { join, resolve } from 'node:path';
import type { BlobRepository } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { DirectUploads, ObjectStore } from '@millrace/domain';
import { FolderObjectStore, type S3Encryption, S3ObjectStore, TracedObjectStore } from '@millrace/object-store';

/** Below the data folder. */
const FOLDER_NAME = 'objects';

/** A store with its end. */
export interface OpenedStore {
  readonly store: ObjectStore;
  /** Where clients can upload past the gateway. */
  readonly directUploads?: DirectUploads;
  readonly close: () => Promise<void>;
}

/**
 * Opens the store that the settings name: a bucket, or a folder in the data folder.
 *
 * @throws DomainError `storage.unavailable` that names what is missing; Error for a folder that is not mounted
 */
export function openObjectStore(environment: Environment, blobs: BlobRepository): Promise<OpenedStore> {
  const { S3_BUCKET: bucket } = environment;
  return bucket === undefined ? openFolder(environment, blobs) : openBucket(environment, bucket, blobs);
}

/** A bucket must be there, answer, and allow what is done with it; and it must be the one that the catalog speaks of. */
async function openBucket(environment: Environment, bucket: string, blobs: BlobRepository): Promise<OpenedStore> {
  const { S3_ENDPOINT: endpoint, S3_PUBLIC_ENDPOINT: publicEndpoint, S3_REGION: region } = environment;
  const store = new S3ObjectStore({
    bucket,
    ...(endpoint !== undefined && { endpoint }),
    ...(publicEndpoint !== undefined && { publicEndpoint }),
    ...(region !== undefined && { region }),
    forcePathStyle: environment.S3_FORCE_PATH_STYLE === 'true',
    ...encryptionOf(environment),
  });
  try {
    await store.checkAccess();
    await recognize(store, bucket, blobs);
    const close = async (): Promise<void> => store.close();
    // The address of a server in our own network means nothing to clients.
    const isReachable = endpoint === undefined || publicEndpoint !== undefined;
    return { store: new TracedObjectStore(store), ...(isReachable && { directUploads: store.directUploads }), close };
  } catch (error) {
    store.close();
    throw error;
  }
}

/**
 * A bucket without a mark is a new store only if the catalog knows no objects. With the name of another one, every file
 * would count as lost. Of processes that start together with the first upload, one may be refused, and finds the mark when
 * it tries again.
 */
async function recognize(store: S3ObjectStore, bucket: string, blobs: BlobRepository): Promise<void> {
  if (await store.isMarked()) return;
  if (await blobs.knowsAny()) throw new Error(strangerMessage(bucket));
  await store.mark();
}

function strangerMessage(bucket: string): string {
  return `The bucket ${bucket} is no object store of a Millrace, but the catalog knows of files. S3_BUCKET or S3_ENDPOINT seems to
be wrong. If the files are really in this bucket, or really lost, put an object .millrace-store into it; then Millrace starts.`;
}

function encryptionOf({ S3_SSE, S3_SSE_KMS_KEY_ID: kmsKeyId }: Environment): { encryption?: S3Encryption } {
  switch (S3_SSE) {
    case 'none':
      return {};
    case 'AES256':
      return { encryption: { algorithm: 'AES256' } };
    case 'aws:kms':
      return { encryption: { algorithm: 'aws:kms', ...(kmsKeyId !== undefined && { kmsKeyId }) } };
  }
}

/**
 * An empty folder is a new store only if the catalog knows no objects; otherwise its disk is most likely not mounted, and a
 * store that begins there would hide the files, and lose what is written until the disk is back.
 */
async function openFolder(environment: Environment, blobs: BlobRepository): Promise<OpenedStore> {
  const store = new FolderObjectStore(join(resolve(environment.DATA_DIR), FOLDER_NAME));
  if ((await store.isNew()) && (await blobs.knowsAny())) throw new Error(awayMessage(store));
  return { store: new TracedObjectStore(await store.open()), close: async () => undefined };
}

function awayMessage({ root, markerPath }: FolderObjectStore): string {
  return `The object store ${root} is empty, but the catalog knows of files in it. Its disk seems not to be mounted.
Mount it, and start again. If the files are really lost, mark the empty folder as the store:

  mkdir -p ${root} && touch ${markerPath}

Then Millrace starts. The tables whose files are lost are still listed, and reading them fails.`;
}
