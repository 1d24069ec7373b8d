import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may arrive on a connection ahead of their turn. No client of today sends any. */
const AHEAD_MAX = 16;

interface Line {
  /** The answer that is being made. */
  response: ServerResponse;
  readonly waiting: (() => void)[];
}

/**
 * Serves the requests of one connection one after another. Node starts them all at once when a client does not wait for
 * its answers (pipelining), and never closes the answers behind the first when the connection breaks: whoever waits for
 * that to give something back would wait for ever.
 */
export class Turns {
  private readonly lines = new WeakMap<Socket, Line>();

  wrap(handle: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request;
      const line = this.lines.get(socket);
      // Bound to where it arrived: a turn begins in the events of the request before.
      const begin = AsyncResource.bind(() => this.begin(request, response, handle));
      if (!line) return begin();
      if (line.waiting.length >= AHEAD_MAX) return void socket.destroy();
      line.waiting.push(begin);
    };
  }

  /** The answer that a connection is about to give or is giving. */
  current(socket: Socket): ServerResponse | undefined {
    return this.lines.get(socket)?.response;
  }

  private begin(request: IncomingMessage, response: ServerResponse, handle: RequestListener): void {
    const { socket } = request;
    const line = this.lines.get(socket) ?? { response, waiting: [] };
    line.response = response;
    this.lines.set(socket, line);
    // What the answer before has set, see `endStalledAnswers`.
    socket.setTimeout(0);
    response.once('close', () => this.next(socket, line));
    handle(request, response);
  }

  private next(socket: Socket, line: Line): void {
    const begin = socket.destroyed || socket.writableEnded ? undefined : line.waiting.shift();
    if (begin) begin();
    else this.lines.delete(socket);
  }
}
