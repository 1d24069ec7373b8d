import type { OperationResponse } from '../operation.js';
import { TABLE_FORMATS } from '../schemas/formats.js';

const MEDIA_TYPES = Object.values(TABLE_FORMATS).map(({ mediaType }) => mediaType);

const validators = {
  ETag: 'Of these bytes, strong.',
  Vary: '`Accept`.',
  'Cache-Control':
    '`private, no-cache`: a copy is for the caller alone, and good after a request with `If-None-Match`.',
};
const headers = {
  ...validators,
  'Content-Disposition': 'A file name: that of the table.',
  'Accept-Ranges': '`bytes` for Parquet, `none` for what is made while it is sent.',
};

/** What a table that is sent as it is, or a part of it, is answered with. */
export const downloadResponses = {
  200: {
    description: 'The whole table. One that is cut short ends with a broken connection.',
    bytes: MEDIA_TYPES,
    headers: { ...headers, 'Repr-Digest': 'Of Parquet: the SHA-256 of the whole file (RFC 9530).' },
  },
  206: {
    description: 'The bytes of the range.',
    bytes: [TABLE_FORMATS.parquet.mediaType],
    headers: {
      ...headers,
      'Repr-Digest': 'The SHA-256 of the whole file (RFC 9530).',
      'Content-Range': 'Which bytes these are, and of how many.',
    },
  },
  304: { description: 'The caller has these bytes already.', headers: validators },
} as const satisfies Record<number, OperationResponse>;
