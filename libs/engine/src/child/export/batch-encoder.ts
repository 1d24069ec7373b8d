import { AsyncByteQueue, type RecordBatch, RecordBatchStreamWriter, type Schema } from 'apache-arrow';

/** The writer's sink, taken empty after each batch: its own queue would let it run ahead of the reader. */
class Pieces extends AsyncByteQueue {
  private pieces: Uint8Array[] = [];

  override write(piece: Uint8Array): void {
    this.pieces.push(piece);
  }

  take(): Buffer {
    return Buffer.concat(this.pieces.splice(0));
  }
}

/** An Arrow IPC stream, batch by batch. */
export class BatchEncoder {
  private readonly pieces = new Pieces();
  private readonly writer = new RecordBatchStreamWriter({ autoDestroy: false });

  /** The stream begins with the schema, which is in the first bytes taken. */
  constructor(schema: Schema) {
    this.writer.reset(this.pieces, schema);
  }

  encode(batch: RecordBatch): Buffer {
    this.writer.write(batch);
    return this.pieces.take();
  }

  /** What ends the stream; without it a reader can't tell whether it has all. */
  finish(): Buffer {
    this.writer.finish();
    return this.pieces.take();
  }
}
