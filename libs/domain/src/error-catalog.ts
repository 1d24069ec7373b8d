interface ErrorKind {
  /** HTTP status of the problem. */
  readonly status: number;
  /** What a person reads first; the same for every occurrence. */
  readonly title: string;
  /** Whether the same request may succeed later without a change; jobs decide by it whether to try again. */
  readonly retryable: boolean;
}

const mistake = (status: number, title: string): ErrorKind => ({ status, title, retryable: false });
const passing = (status: number, title: string): ErrorKind => ({ status, title, retryable: true });

/** Every operating error of Millrace. `docs/errors.md` lists them for users. */
export const ERRORS = {
  'auth.missing': mistake(401, 'Credentials are missing'),
  'auth.invalid': mistake(401, 'Credentials are not valid'),
  'auth.forbidden': mistake(403, 'Not allowed'),

  'request.invalid': mistake(400, 'The request is not valid'),
  'request.malformed': mistake(400, 'The body is not valid JSON'),
  'request.too_large': mistake(413, 'The body is too large'),
  'request.headers_too_large': mistake(431, 'The headers are too large'),
  'request.interrupted': passing(408, 'The request did not arrive in time'),
  'request.too_many': passing(429, 'Too many requests at once'),
  'request.unsupported_media_type': mistake(415, 'The media type is not supported'),
  'format.not_acceptable': mistake(406, 'There is no such format'),
  'range.not_satisfiable': mistake(416, 'There are no such bytes'),
  'cursor.invalid': mistake(400, 'The cursor is not valid'),
  'route.unknown': mistake(404, 'There is no such route'),
  'idempotency.key_reused': mistake(422, 'The idempotency key was used for something else'),
  'idempotency.in_progress': passing(409, 'The request with this idempotency key is under way'),

  'upload.empty': mistake(400, 'The upload is empty'),
  'upload.too_large': mistake(413, 'The upload is too large'),
  'upload.digest_mismatch': mistake(422, 'The bytes do not match their digest'),
  'upload.interrupted': passing(400, 'The upload broke off'),
  'upload.encoding_unsupported': mistake(415, 'The content encoding is not supported'),
  'upload.not_found': mistake(404, 'There is no such upload'),
  'upload.unknown': mistake(400, 'There is no such upload'),
  'upload.consumed': mistake(400, 'The upload was already used'),
  'upload.expired': mistake(400, 'The upload has expired'),
  'upload.uploading': mistake(409, 'The upload is not complete'),
  'upload.complete': mistake(409, 'The upload is complete'),
  'upload.parts_invalid': mistake(422, 'The parts do not make the file'),
  'upload.direct_unsupported': mistake(409, 'Uploads past the server are not possible here'),
  'upload.offset_mismatch': mistake(409, 'The piece does not begin where the upload ends'),
  'upload.checksum_mismatch': mistake(460, 'The bytes do not match their checksum'),
  'upload.locked': passing(423, 'The upload is being written'),
  'tus.invalid': mistake(400, 'The request is not one of tus'),
  'tus.version_unsupported': mistake(412, 'The version of tus is not supported'),
  'upload.in_use': mistake(409, 'The upload is in use'),

  'label.blank': mistake(400, 'The label is blank'),
  'table_name.invalid': mistake(400, 'The table name is not valid'),
  'table_name.reserved': mistake(400, 'The table name is a reserved word'),
  'table_name.taken': mistake(400, 'The table name is in use'),
  'inline.too_large': mistake(400, 'The inline content is too large'),

  'dataset.not_found': mistake(404, 'There is no such dataset'),
  'dataset.not_ready': mistake(409, 'The dataset is not ready'),
  'dataset.no_profile': mistake(409, 'The dataset has no profile'),

  'conversion.no_rows': mistake(400, 'The file has no rows'),
  'conversion.column_unknown': mistake(400, 'The file has no such column'),
  'conversion.type_invalid': mistake(400, 'The column type is not valid'),
  'conversion.format_unknown': mistake(422, 'The format was not recognised'),
  'conversion.failed': mistake(422, 'The file can not be converted'),
  'conversion.limit': mistake(422, 'The file is beyond a limit'),
  'conversion.memory': mistake(422, 'The conversion ran out of memory'),
  'conversion.deadline': mistake(422, 'The conversion took too long'),
  'conversion.crashed': passing(500, 'The conversion process ended unexpectedly'),

  'sql.empty': mistake(400, 'The statement is empty'),
  'sql.too_long': mistake(400, 'The statement is too long'),
  'sql.syntax': mistake(422, 'The statement has a syntax error'),
  'sql.not_allowed': mistake(422, 'The statement is not allowed'),
  'sql.invalid': mistake(422, 'The statement is not valid'),
  'sql.failed': mistake(422, 'The statement failed on the data'),
  'params.invalid': mistake(422, 'The parameters do not fit the statement'),
  'table.unknown': mistake(422, 'There is no such table'),
  'column.unknown': mistake(422, 'There is no such column'),
  'function.unknown': mistake(422, 'There is no such function'),

  'query.not_found': mistake(404, 'There is no such query'),
  'query.finished': mistake(409, 'The query has ended already'),
  'query.cancelled': mistake(409, 'The query was cancelled'),
  'query.deadline': mistake(504, 'The query took too long'),
  'query.memory': mistake(422, 'The query ran out of memory'),
  'query.result_too_large': mistake(422, 'The result is too large'),
  'query.crashed': passing(503, 'The query process ended unexpectedly'),
  'query.lost': passing(503, 'The service that ran the query went away'),
  'query.too_many': passing(429, 'Too many queries at once'),

  'saved_query.not_found': mistake(404, 'There is no such saved query'),
  'saved_query.name_invalid': mistake(400, 'The name is not valid'),
  'saved_query.name_taken': mistake(409, 'The name is in use'),
  'saved_query.parameters_invalid': mistake(400, 'The parameters do not fit the statement'),

  'download.stalled': passing(408, 'The download was not taken in time'),

  'result.not_found': mistake(404, 'There is no such result'),
  'result.processing': passing(422, 'The result is not ready yet'),
  'result.not_ready': mistake(422, 'The result is not ready'),
  'result.pending': passing(409, 'The result is not stored yet'),
  'result.failed': mistake(409, 'The result could not be kept'),
  'result.expired': mistake(410, 'The result has expired'),
  'result.file_missing': mistake(500, 'The file of the result is missing'),
  'result.corrupt': mistake(500, 'The file of the result is damaged'),
  'result.lost': mistake(500, 'The result was lost before it was stored'),

  'job.not_found': mistake(404, 'There is no such job'),
  'job.finished': mistake(409, 'The job has ended already'),
  'job.cancelled': mistake(409, 'The job was cancelled'),
  'job.deadline': mistake(422, 'The job took too long'),
  'job.lost': passing(503, 'The worker of the job went away'),

  'storage.unavailable': passing(503, 'The object store does not answer'),
  'storage.full': passing(507, 'The disk is full'),
  'storage.object_missing': mistake(500, 'A stored file is missing'),
  'storage.object_corrupt': mistake(500, 'A stored file is damaged'),
  'service.unavailable': passing(503, 'A part of the service does not answer'),
  internal: mistake(500, 'Something went wrong on our side'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;
