import { Param, type PipeTransform } from '@nestjs/common';
import { DomainError, isId, type ErrorCode, type Id, type IdKind } from '@millrace/domain';

/** What a thing that is not there is called in the errors, by its kind. */
const NOT_FOUND = {
  upload: 'upload.not_found',
  dataset: 'dataset.not_found',
  queryRun: 'query.not_found',
  result: 'result.not_found',
  job: 'job.not_found',
} as const satisfies Partial<Record<IdKind, ErrorCode>>;

/** A text that can't be an id names nothing: 404, as for an id that nothing has. */
class IdPipe<K extends keyof typeof NOT_FOUND> implements PipeTransform<string, Id<K>> {
  constructor(private readonly kind: K) {}

  transform(text: string): Id<K> {
    if (isId(this.kind, text)) return text;
    throw new DomainError(NOT_FOUND[this.kind], `"${text.slice(0, 40)}" is not an id of this kind.`);
  }
}

/** The `id` of the path, of a kind. */
export const IdParam = (kind: keyof typeof NOT_FOUND): ParameterDecorator => Param('id', new IdPipe(kind));
