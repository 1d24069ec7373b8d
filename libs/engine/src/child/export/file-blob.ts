import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * A file, or a range of one, as the Blob that the Parquet reader asks for the bytes of each column chunk, all of them at
 * the same time. Node's own reads each in pieces of 64 KiB, however short it is: of 10,000 columns V8 did nothing but
 * collect garbage for minutes.
 */
export class FileBlob extends Blob {
  private constructor(
    private readonly fd: number,
    private readonly start: number,
    override readonly size: number,
  ) {
    super([]);
  }

  static open(path: string): FileBlob {
    const fd = openSync(path, 'r');
    return new FileBlob(fd, 0, fstatSync(fd).size);
  }

  override slice(start = 0, end = this.size): FileBlob {
    return new FileBlob(this.fd, this.start + start, Math.min(end, this.size) - start);
  }

  /** Without a thread: the files are local, and this process has nothing else to do. */
  override arrayBuffer(): Promise<ArrayBuffer> {
    return new Promise((resolve) => resolve(this.read()));
  }

  close(): void {
    closeSync(this.fd);
  }

  private read(): ArrayBuffer {
    const bytes = new Uint8Array(this.size);
    for (let length = 0; length < bytes.length;) {
      const count = readSync(this.fd, bytes, { offset: length, position: this.start + length });
      if (count === 0) throw new Error('A stored file ends early.');
      length += count;
    }
    return bytes.buffer;
  }
}
