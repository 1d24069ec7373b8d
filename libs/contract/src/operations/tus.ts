import { z } from 'zod';
import type { Operation } from '../operation.js';

const tag = 'Files';
const path = '/v1/files/tus';
const pathOfOne = `${path}/{id}` as const;

const version = z.literal('1.0.0').meta({ description: 'The version of tus.' });
const offset = z.string().meta({ description: 'How many bytes have come.', example: '1048576' });
const checksum = z
  .string()
  .optional()
  .meta({ description: 'Of the bytes of this request.', example: 'sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=' });
const offsetHeader = { 'Upload-Offset': 'How many bytes have come and stay.' };
const expiresHeader = { 'Upload-Expires': 'Until when it may be silent.' };
const errors = ['tus.invalid', 'tus.version_unsupported'] as const;
const ofOne = [...errors, 'upload.not_found', 'upload.locked'] as const;
const ofBytes = [
  'upload.checksum_mismatch',
  'upload.too_large',
  'upload.digest_mismatch',
  'upload.interrupted',
  'storage.unavailable',
  'storage.full',
] as const;

/** Uploads that go on where they broke off: https://tus.io/protocols/resumable-upload, version 1.0. */
export const tusOperations = {
  'file.tus_options': {
    tag,
    summary: 'Ask what of tus there is',
    method: 'options',
    path,
    access: 'files:write',
    responses: {
      204: {
        description: 'Version, extensions and the largest size.',
        headers: { 'Tus-Version': '`1.0.0`', 'Tus-Extension': 'The extensions.', 'Tus-Max-Size': 'In bytes.' },
      },
    },
    errors: [],
  },
  'file.tus_create': {
    tag,
    summary: 'Begin an upload in pieces',
    description:
      'By tus 1.0, for any of its clients. `Upload-Metadata` may have `filename`, `filetype`, `content_encoding` (`gzip`, ' +
      '`zstd`) and `sha256` (in hexadecimal, verified at the end). A first piece may come along. The id in `Location` is that ' +
      'of the upload.',
    method: 'post',
    path,
    access: 'files:write',
    repeats: 'by_protocol',
    headers: z.object({
      'Tus-Resumable': version,
      'Upload-Checksum': checksum,
      'Upload-Length': z.string().meta({ description: 'Bytes of the whole file.', example: '20000000' }),
      'Upload-Metadata': z.string().optional().meta({ example: 'filename YWlycG9ydHMuY3N2' }),
    }),
    body: { kind: 'bytes' },
    responses: {
      201: {
        description: 'The upload waits for its pieces.',
        headers: { Location: 'Its address, without a host.', ...expiresHeader, ...offsetHeader },
      },
    },
    errors: [...errors, 'upload.empty', 'upload.encoding_unsupported', ...ofBytes],
  },
  'file.tus_offset': {
    tag,
    summary: 'Ask how much has come',
    method: 'head',
    path: pathOfOne,
    access: 'files:write',
    headers: z.object({ 'Tus-Resumable': version }),
    responses: {
      200: {
        description: 'Where to go on.',
        headers: { ...offsetHeader, 'Upload-Length': 'Of the whole.', 'Upload-Metadata': 'As it came.' },
      },
    },
    errors: [...ofOne, 'upload.digest_mismatch'],
  },
  'file.tus_append': {
    tag,
    summary: 'Send a piece',
    description:
      'From where the upload ended. What comes of a piece that breaks off is kept. With the last one the upload is complete: ' +
      'one that came in several pieces is made one file, which takes time for a large one.',
    method: 'patch',
    path: pathOfOne,
    access: 'files:write',
    headers: z.object({
      'Tus-Resumable': version,
      'Upload-Offset': offset,
      'Upload-Checksum': checksum,
    }),
    body: { kind: 'bytes' },
    responses: {
      204: { description: 'It is there.', headers: { ...offsetHeader, ...expiresHeader } },
    },
    errors: [...ofOne, 'upload.offset_mismatch', 'upload.complete', ...ofBytes],
  },
  'file.tus_delete': {
    tag,
    summary: 'Give an upload in pieces up',
    method: 'delete',
    path: pathOfOne,
    access: 'files:write',
    headers: z.object({ 'Tus-Resumable': version }),
    responses: { 204: { description: 'It is gone.' } },
    errors: [...ofOne, 'upload.in_use'],
  },
} as const satisfies Record<string, Operation>;
