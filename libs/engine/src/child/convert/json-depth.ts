import { beyondLimit, conversionFailed } from './conversion-error.js';
import type { TextObserver } from './text-check.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** Follows the brackets of a JSON text: deep nesting would run a parser out of stack. */
export class JsonDepth implements TextObserver {
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  /** The line of the outermost bracket that is open. */
  private openedAt = 1;
  private line = 1;

  constructor(private readonly nestingMax: number) {}

  /** @throws DomainError `conversion.limit` */
  observe(piece: Buffer): void {
    for (const byte of piece) {
      if (byte === NEWLINE) this.line += 1;
      if (this.isEscaped) this.isEscaped = false;
      else if (this.inString) this.inText(byte);
      else this.outside(byte);
    }
  }

  /** @throws DomainError `conversion.failed` when the text ends within a value */
  finish(): void {
    if (!this.inString && this.depth <= 0) return;
    throw conversionFailed(`The JSON ends in the middle of a value that began in line ${this.openedAt}.`, {
      line: this.line,
    });
  }

  private inText(byte: number): void {
    if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.inString = false;
  }

  private outside(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.inString = true;
        return;
      case 0x7b: // {
      case 0x5b: // [
        if (this.depth === 0) this.openedAt = this.line;
        this.depth += 1;
        if (this.depth > this.nestingMax) {
          throw beyondLimit(`Line ${this.line}: the JSON is nested deeper than ${this.nestingMax} levels.`);
        }
        return;
      case 0x7d: // }
      case 0x5d: // ]
        this.depth -= 1;
    }
  }
}
