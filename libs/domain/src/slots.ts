/** Lets so many calls run at once; the others wait in the order they came. */
export class Slots {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly countMax: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.taken < this.countMax) this.taken += 1;
    // Whoever leaves hands the slot on, so `taken` stays.
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.taken -= 1;
    }
  }
}
