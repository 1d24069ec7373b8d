/** An engine process that did not start. It has not met anything of a caller yet, so what it said may go into a log. */
export class ChildStartError extends Error {
  override readonly name = 'ChildStartError';

  constructor(
    readonly outcome: 'ended' | 'late',
    /** The end of what it wrote to stderr. */
    readonly said: string,
  ) {
    super(`An engine process did not start (${outcome}): ${said || 'it said nothing'}`);
  }
}
