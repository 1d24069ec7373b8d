type Release = () => Promise<void> | void;

/** What a stream holds for as long as it is read. None of it may throw when it is given back. */
export class Held {
  private readonly releases: Release[] = [];

  add(release: Release): void {
    this.releases.push(release);
  }

  /** Gives everything back, in the reverse order. Once, however often it is called. */
  async release(): Promise<void> {
    for (const release of this.releases.splice(0).toReversed()) await release();
  }
}
