export { BlobWriter, type BlobBody, type BlobFile } from './blob-writer.js';
export { meterBytes, type Metered, type MeteredBytes } from './meter-bytes.js';
export { checkKey, isObjectKey, objectKeys, type DatasetFile } from './object-keys.js';
export { FileLock } from './file-lock.js';
export { FolderObjectStore } from './object-store.folder.js';
export { S3ObjectStore } from './object-store.s3.js';
export type { S3Credentials, S3Encryption, S3StoreOptions } from './s3-store-options.js';
export {
  type CachedFile,
  type CacheRequest,
  ReadCache,
  type ReadCacheOptions,
  type ReadCacheParts,
} from './read-cache.js';
export { TracedObjectStore } from './object-store.traced.js';
