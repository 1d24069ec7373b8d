import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, TenantPlaces, toDomainError, type TenantId } from '@millrace/domain';
import { looks } from './looks.js';
import { WakeUpCalls, type WatchedId } from './wake-up-calls.js';

/** Each holds a connection and looks into the catalog every second. */
const STREAMS_MAX = 256;
const STREAMS_OF_TENANT_MAX = 32;
/** Clients come back by themselves, perhaps to a gateway that has fewer of them. */
const STREAM_MS_MAX = 60 * 60_000;
/** Less than proxies usually let a connection be silent. */
const KEEP_ALIVE_MS = 15_000;
/** How long a client waits before it comes back. */
const RECONNECT_MS = 1_000;

/** Something whose states are told one after the other. */
export interface Watched<T extends object> {
  readonly tenantId: TenantId;
  /** What an event about it names. */
  readonly id: WatchedId;
  /** @throws DomainError when it is not there (any more), for this caller */
  readonly read: () => Promise<T>;
  readonly hasEnded: (state: T) => boolean;
}

export interface EventExchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/**
 * Server-sent events. Each is the whole state, and its id is made from that, so that whoever comes back to any gateway with
 * the last id it saw gets what has changed, and nothing twice.
 */
@Injectable()
export class EventStreams {
  private readonly places = new TenantPlaces();

  constructor(private readonly calls: WakeUpCalls) {}

  /**
   * Answers with a stream that ends after the final state; with 204, which ends the coming back, when the caller has that.
   *
   * @throws DomainError `request.too_many`; what the first `read` throws
   */
  async serve<T extends object>(watched: Watched<T>, { request, reply }: EventExchange): Promise<void> {
    const state = await watched.read();
    const lastId = lastEventIdOf(request);
    if (watched.hasEnded(state) && idOf(state) === lastId) {
      await reply.status(204).send();
      return;
    }
    const events = request.method === 'HEAD' ? '' : this.open(watched, lastId);
    void reply.headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // What holds answers back until they are large must let this one pass.
      'x-accel-buffering': 'no',
    });
    await reply.send(events);
  }

  private open<T extends object>(watched: Watched<T>, lastId: string | undefined): Readable {
    const leave = this.places.take(watched.tenantId, { inAllMax: STREAMS_MAX, ofTenantMax: STREAMS_OF_TENANT_MAX });
    if (typeof leave === 'string') throw tooMany(leave);
    // It is asked for the next event when the last was taken: a slow reader gets fewer, and none piles up.
    return Readable.from(this.events(watched, lastId), { highWaterMark: 1 }).once('close', leave);
  }

  private async *events<T extends object>(
    { id, read, hasEnded }: Watched<T>,
    lastId: string | undefined,
  ): AsyncGenerator<string> {
    yield `retry: ${RECONNECT_MS}\n\n`;
    let toldId = lastId;
    let toldAt = performance.now();
    for await (const state of looks(this.calls, { id, read: () => readOrPass(read), forMs: STREAM_MS_MAX })) {
      const stateId = state && idOf(state);
      const isNews = state !== undefined && stateId !== toldId;
      if (!isNews && performance.now() - toldAt < KEEP_ALIVE_MS) continue;
      toldAt = performance.now();
      if (!isNews) {
        yield ': nothing new\n\n';
        continue;
      }
      toldId = stateId;
      yield eventOf(state, hasEnded(state) ? 'end' : 'change');
      if (hasEnded(state)) return;
    }
  }
}

/** Undefined while the catalog is away: it is looked at again in a moment. */
async function readOrPass<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (toDomainError(error).retryable) return undefined;
    throw error;
  }
}

function eventOf(state: object, event: 'change' | 'end'): string {
  return `id: ${idOf(state)}\nevent: ${event}\ndata: ${JSON.stringify(state)}\n\n`;
}

function idOf(state: object): string {
  return createHash('sha256').update(JSON.stringify(state)).digest('base64url').slice(0, 22);
}

function lastEventIdOf({ headers }: FastifyRequest): string | undefined {
  const value = headers['last-event-id'];
  return typeof value === 'string' ? value : undefined;
}

function tooMany(bound: 'in_all' | 'of_tenant'): DomainError {
  const detail = {
    in_all: 'Too many event streams are open. Try again in a moment, or look now and then.',
    of_tenant: `At most ${STREAMS_OF_TENANT_MAX} event streams can be open at once. Close one, or look now and then.`,
  };
  return new DomainError('request.too_many', detail[bound]);
}
