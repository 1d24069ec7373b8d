import type { FastifyReply } from 'fastify';
import type { AnswerFormat, PendingQueryBody } from '@millrace/contract';
import type { Preference } from '@millrace/http';
import { isRowFormat } from '../formats/negotiate-answer.js';
import { asJson } from '../rows-json.js';
import type { QueriesService } from './queries.service.js';

/** When it is worth to look again at a query that goes on. */
const RETRY_AFTER_S = 1;

/** Sends what `QueriesService.run` gave, and says which preference was heeded. */
export async function sendAnswer(
  reply: FastifyReply,
  answer: Awaited<ReturnType<QueriesService['run']>>,
  { format, applied }: { readonly format: AnswerFormat } & Pick<Preference, 'applied'>,
): Promise<void> {
  // Of an answer that has come, only a wait was heeded.
  const isHeeded = 'pending' in answer || (isRowFormat(format) && applied !== 'respond-async');
  if (applied !== undefined && isHeeded) void reply.header('preference-applied', applied);
  if ('pending' in answer) await sendPending(reply, answer.pending);
  else if ('json' in answer) await reply.send(asJson(reply, answer.json));
  else await reply.headers(answer.headers).send(answer.body);
}

async function sendPending(reply: FastifyReply, pending: PendingQueryBody): Promise<void> {
  const location = `/v1/queries/${pending.query_run_id}`;
  await reply.status(202).headers({ location, 'retry-after': RETRY_AFTER_S }).send(pending);
}
