import { constants as fsConstants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { toPipeError } from './pipe-error.js';

/** Of one write; a pipe holds far less, and each write is a hop to another thread. */
const WRITE_BYTES = 1024 ** 2;

/** Bytes into the pipe of an export, which stays open for as long as this is: statements may write there in between. */
export class PipeWriter {
  private pieces: Buffer[] = [];
  private length = 0;

  private constructor(private readonly handle: FileHandle) {}

  static async open(path: string): Promise<PipeWriter> {
    return new PipeWriter(await open(path, fsConstants.O_WRONLY));
  }

  /**
   * Waits for the reader once enough has come together.
   *
   * @throws DomainError `query.cancelled` when the reader is gone
   */
  async write(bytes: Buffer): Promise<void> {
    this.pieces.push(bytes);
    this.length += bytes.length;
    if (this.length >= WRITE_BYTES) await this.flush();
  }

  /** Hands over what has come together; needed before somebody else writes, and at the end. */
  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.pieces);
    this.pieces = [];
    this.length = 0;
    await this.handle.writeFile(bytes).catch((error: unknown) => {
      throw toPipeError(error);
    });
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
