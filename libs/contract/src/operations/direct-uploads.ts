import type { Operation } from '../operation.js';
import {
  completeUploadSchema,
  presignedUploadSchema,
  presignUploadSchema,
  signedPartsSchema,
  signPartsSchema,
} from '../schemas/direct-uploads.js';
import { uploadSchema } from '../schemas/files.js';

const tag = 'Files';

export const directUploadOperations = {
  'file.presign': {
    tag,
    summary: 'Begin an upload straight to the store',
    description:
      'For files that need not pass through this server. The answer says how the file is cut into parts, and gives an ' +
      'address for each of the first ones: PUT the bytes there, and keep the `ETag` of each answer for `complete`. ' +
      '`features.presigned_uploads` of `GET /v1/config` says whether the store can do it.',
    method: 'post',
    path: '/v1/files/presign',
    access: 'files:write',
    body: { kind: 'json', schema: presignUploadSchema },
    responses: {
      201: {
        description: 'The upload waits for its parts.',
        body: presignedUploadSchema,
        headers: { Location: 'Its address.' },
      },
    },
    errors: ['upload.direct_unsupported', 'upload.too_large', 'storage.unavailable', 'storage.full'],
  },
  'file.sign_parts': {
    tag,
    summary: 'Get addresses for parts',
    description:
      'For parts beyond the first ones, and afresh for those whose time is over. The upload lives on with it.',
    method: 'post',
    path: '/v1/files/{id}/parts',
    access: 'files:write',
    body: { kind: 'json', schema: signPartsSchema },
    responses: { 200: { description: 'The addresses.', body: signedPartsSchema } },
    errors: [
      'upload.direct_unsupported',
      'upload.not_found',
      'upload.complete',
      'upload.expired',
      'storage.unavailable',
    ],
  },
  'file.complete': {
    tag,
    summary: 'Complete an upload straight to the store',
    description:
      'Makes the parts one file, whose size and SHA-256 are verified by reading it once; that takes time for a large one. ' +
      'Parts that do not fit leave the upload as it is, to be completed later. A wrong SHA-256 ends it: nothing is kept. ' +
      'Completing once more gives the same upload, also after an answer that was lost.',
    method: 'post',
    path: '/v1/files/{id}/complete',
    access: 'files:write',
    body: { kind: 'json', schema: completeUploadSchema },
    responses: { 200: { description: 'The upload waits for a dataset.', body: uploadSchema } },
    errors: [
      'upload.direct_unsupported',
      'upload.not_found',
      'upload.expired',
      'upload.parts_invalid',
      'upload.digest_mismatch',
      'storage.unavailable',
      'storage.full',
    ],
  },
} as const satisfies Record<string, Operation>;
