import { JSON_BYTES } from './json-bytes.js';

const { QUOTE, BACKSLASH } = JSON_BYTES;
/** `\u0061` for a UTF-16 unit. */
const ESCAPED_BYTES_MAX = 6;

/** Follows the texts of a JSON document byte by byte, and keeps what keys say. */
export class TextInJson {
  /** Whether the next byte is within a text, or its closing quote. */
  isOpen = false;
  private isEscaped = false;
  /** Of a key, while it is read; no more of them than a wanted key can have. */
  private keyBytes: number[] | undefined;
  private readonly keyBytesMax: number;

  /** @param keys those that anybody asks for */
  constructor(keys: Iterable<string>) {
    this.keyBytesMax = ESCAPED_BYTES_MAX * Math.max(0, ...[...keys].map((key) => key.length));
  }

  /** A text begins behind its quote. */
  begin({ isKey }: { readonly isKey: boolean }): void {
    this.isOpen = true;
    this.keyBytes = isKey ? [] : undefined;
  }

  /** One byte on. @returns whether that ended the text */
  follow(byte: number): boolean {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) {
      this.isOpen = false;
      return true;
    }
    if (this.keyBytes && this.keyBytes.length <= this.keyBytesMax) this.keyBytes.push(byte);
    return false;
  }

  /** What a text says that has ended, if it is a key; what is no JSON is nobody's key. */
  takeKey(): string | undefined {
    const { keyBytes } = this;
    this.keyBytes = undefined;
    return keyBytes && textOf(keyBytes);
  }
}

function textOf(bytes: readonly number[]): string {
  try {
    return String(JSON.parse(`"${Buffer.from(bytes).toString('utf8')}"`));
  } catch {
    return '';
  }
}
