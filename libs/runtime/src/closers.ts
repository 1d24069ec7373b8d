type Closer = () => Promise<void>;

/** What has to be closed, in the reverse order of its opening; one that fails does not keep the others from it. */
export class Closers {
  private readonly closers: Closer[] = [];
  private closing: Promise<void> | undefined;

  add(closer: Closer): void {
    this.closers.push(closer);
  }

  /** Closes everything once, however often it is called. @throws the first error, after all were tried */
  closeAll(): Promise<void> {
    this.closing ??= this.close();
    return this.closing;
  }

  private async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const closer of this.closers.toReversed()) await closer().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
