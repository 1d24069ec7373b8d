/** One event of a stream, or a comment. */
export interface ReadEvent {
  readonly id?: string;
  readonly event?: string;
  /** What `data` holds, as JSON. Loosely typed: that is what the assertions are for. */
  readonly data?: Record<string, unknown>;
}

/** Reads server-sent events one by one, as a client would. */
export class EventReader {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly decoder = new TextDecoder();
  private buffered = '';

  constructor(response: Response) {
    if (!response.body) throw new Error('an answer without a body has no events');
    this.reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  /** The next event; undefined at the end of the stream. Comments and `retry` are passed over. */
  async next(): Promise<ReadEvent | undefined> {
    for (;;) {
      const end = this.buffered.indexOf('\n\n');
      if (end < 0) {
        const { done, value } = await this.reader.read();
        if (done) return undefined;
        this.buffered += this.decoder.decode(value, { stream: true });
        continue;
      }
      const event = parse(this.buffered.slice(0, end));
      this.buffered = this.buffered.slice(end + 2);
      if (event.data) return event;
    }
  }

  /** The first event from here on that fits. */
  async until(fits: (data: Record<string, unknown>) => boolean): Promise<ReadEvent> {
    for (;;) {
      const event = await this.next();
      if (!event) throw new Error('the stream has ended');
      if (event.data && fits(event.data)) return event;
    }
  }

  async cancel(): Promise<void> {
    await this.reader.cancel();
  }
}

function parse(block: string): ReadEvent {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => {
      const [name = '', ...rest] = line.split(': ');
      return [name, rest.join(': ')];
    }),
  );
  const { id, event, data } = fields;
  return {
    ...(id !== undefined && { id }),
    ...(event !== undefined && { event }),
    ...(data !== undefined && { data: JSON.parse(data) as Record<string, unknown> }),
  };
}
