import { StringDecoder } from 'node:string_decoder';
import type { TextEncoding } from '../../tasks/convert.task.js';

/** Decodes the bytes of a text, piece by piece; a character may begin in one and end in the next. */
export interface PieceDecoder {
  write(piece: Buffer): string;
  /** What is left at the end of the text. */
  end(): string;
  /** Where a decoded text has something that no text of the encoding has; -1 for nowhere. */
  findFault(text: string): number;
}

/**
 * A decoder of the platform for one encoding. `TextDecoder` alone would not do: its "latin1" is Windows-1252, and what it
 * says about a fault in UTF-16 is not where.
 */
export function pieceDecoder(encoding: Exclude<TextEncoding, 'utf-8'>): PieceDecoder {
  switch (encoding) {
    case 'utf-16le':
    case 'utf-16be':
      return new Utf16Decoder(encoding === 'utf-16be');
    case 'latin-1':
      return { write: (piece) => piece.toString('latin1'), end: () => '', findFault: () => -1 };
    case 'windows-1252': {
      const decoder = new TextDecoder('windows-1252');
      return {
        write: (piece) => decoder.decode(piece),
        end: () => '',
        // The five bytes that have no meaning come out as themselves.
        findFault: (text) => text.search(/[\u0081\u008d\u008f\u0090\u009d]/),
      };
    }
  }
}

/** Stands for the half of a unit at the end of a text: it is no character either. */
const HALF = '\ud800';

class Utf16Decoder implements PieceDecoder {
  private readonly units = new StringDecoder('utf16le');
  /** The first byte of a unit whose second one is in the next piece. */
  private half: Buffer = Buffer.alloc(0);

  constructor(private readonly isBigEndian: boolean) {}

  write(piece: Buffer): string {
    const joined = Buffer.concat([this.half, piece]);
    const whole = joined.subarray(0, joined.length - (joined.length % 2));
    this.half = joined.subarray(whole.length);
    return this.units.write(this.isBigEndian ? whole.swap16() : whole);
  }

  end(): string {
    return this.units.end() + (this.half.length > 0 ? HALF : '');
  }

  findFault(text: string): number {
    return text.search(/\p{Surrogate}/u);
  }
}
