import type { Context, Middleware } from 's3rver';
import type { BucketFiles } from './bucket-files.js';

const PAGE_MAX = 1000;

/** What S3 can do and s3rver can not: to list uploads in parts that have not ended, and their parts, and to give them up. */
export function missingOperations(files: BucketFiles): Middleware {
  return async (context, next) => {
    const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(context.path) ?? [];
    const { uploadId, uploads } = context.query;
    if (context.method === 'GET' && key === '' && uploads !== undefined) {
      context.body = listUploads(files, bucket, context);
    } else if (context.method === 'GET' && uploadId !== undefined) {
      context.body = listParts(files, { bucket, key, uploadId }, context);
    } else if (context.method === 'DELETE' && uploadId !== undefined) {
      await files.abortUpload(bucket, uploadId);
      context.status = 204;
    } else {
      await next();
    }
  };
}

function listUploads(files: BucketFiles, bucket: string, { query }: Context): object {
  const { prefix = '', 'key-marker': keyMarker = '', 'upload-id-marker': idMarker = '' } = query;
  const pageMax = Math.min(Number(query['max-uploads'] ?? PAGE_MAX), PAGE_MAX);
  const after = keyMarker + idMarker;
  const all = files.uploads(bucket, prefix).filter(({ key, id }) => key + id > after);
  const page = all.slice(0, pageMax);
  const last = page.at(-1);
  return {
    ListMultipartUploadsResult: {
      Bucket: bucket,
      Prefix: prefix,
      MaxUploads: pageMax,
      IsTruncated: all.length > page.length,
      ...(last && all.length > page.length && { NextKeyMarker: last.key, NextUploadIdMarker: last.id }),
      Upload: page.map(({ key, id, at }) => ({ Key: key, UploadId: id, Initiated: at.toISOString() })),
    },
  };
}

function listParts(
  files: BucketFiles,
  { bucket, key, uploadId }: { readonly bucket: string; readonly key: string; readonly uploadId: string },
  { query }: Context,
): object {
  const { parts } = files.upload(bucket, uploadId);
  const after = Number(query['part-number-marker'] ?? 0);
  const pageMax = Math.min(Number(query['max-parts'] ?? PAGE_MAX), PAGE_MAX);
  const all = [...parts].sort(([a], [b]) => a - b).filter(([number]) => number > after);
  const page = all.slice(0, pageMax);
  return {
    ListPartsResult: {
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      IsTruncated: all.length > page.length,
      ...(all.length > page.length && { NextPartNumberMarker: page.at(-1)?.[0] }),
      Part: page.map(([number, { sizeBytes, md5 }]) => ({
        PartNumber: number,
        Size: sizeBytes,
        ETag: JSON.stringify(md5),
      })),
    },
  };
}
