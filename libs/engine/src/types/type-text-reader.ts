/** A cursor over the text of a type. */
export class TypeTextReader {
  position = 0;

  constructor(private readonly text: string) {}

  peek(character: string): boolean {
    return this.text.startsWith(character, this.position);
  }

  rewind(position: number): void {
    this.position = position;
  }

  textFrom(start: number): string {
    return this.text.slice(start, this.position);
  }

  /** Moves behind a sticky pattern when it is here. */
  tryMatch(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.position = pattern.lastIndex;
    return match;
  }

  /** `(a, b, …)`. */
  readList<T>(readItem: () => T): T[] {
    this.expect('(');
    const items: T[] = [];
    for (;;) {
      items.push(readItem());
      if (this.tryMatch(/\)/y)) return items;
      this.expect(',');
      this.tryMatch(/ +/y);
    }
  }

  readString(): string {
    return this.readQuoted("'");
  }

  readInteger(): number {
    const match = this.tryMatch(/\d+/y);
    if (!match) throw this.error('a number');
    return Number(match[0]);
  }

  /** A text in quotes, a doubled quote being one. */
  readQuoted(quote: '"' | "'"): string {
    const match = this.tryMatch(quote === '"' ? /"((?:[^"]|"")*)"/y : /'((?:[^']|'')*)'/y);
    if (!match) throw this.error(`a text in ${quote}`);
    return (match[1] ?? '').replaceAll(quote + quote, quote);
  }

  expectEnd(): void {
    if (this.position !== this.text.length) throw this.error('the end');
  }

  error(expected: string): RangeError {
    return new RangeError(
      `Expected ${expected} at character ${this.position} of the type "${this.text.slice(0, 200)}".`,
    );
  }

  private expect(character: string): void {
    if (!this.peek(character)) throw this.error(`"${character}"`);
    this.position += character.length;
  }
}
