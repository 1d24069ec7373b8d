import type { QueryAnswer } from '@millrace/contract';

/** An answer whose rows are kept as a result. */
export type KeptAnswer = QueryAnswer & { readonly result_id: string };

/** @throws Error when nothing is kept of it, as of DESCRIBE */
export function keptAnswer(answer: QueryAnswer): KeptAnswer {
  const { result_id: id } = answer;
  if (id === null) throw new Error('Nothing is kept of this answer.');
  return { ...answer, result_id: id };
}
