import type { AttemptEnd } from '@millrace/catalog';
import { isTerminal, jobLifecycle, type EventBus } from '@millrace/domain';

/**
 * Tells what a wish to cancel did: a running job's worker hears of it at once (and finds it in the catalog when the
 * message is lost); who waits for a job that ended here and now is woken.
 */
export async function announceCancel(events: EventBus, { tenantId, jobId, status }: AttemptEnd): Promise<void> {
  await events.publish(
    isTerminal(jobLifecycle, status)
      ? { type: 'job.ended', tenantId, jobId, status }
      : { type: 'job.cancel_requested', tenantId, jobId },
  );
}
