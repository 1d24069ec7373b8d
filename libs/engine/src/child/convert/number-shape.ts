const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Follows the bytes of a JSON number and counts its digits. */
export class NumberShape {
  /** Whether there was a digit. */
  isOpen = false;
  /** Whether it has a point or an exponent: readers take it for a DOUBLE. */
  isFraction = false;
  /** Digits before point and exponent that its value needs: zeros count when another digit stands on both sides of them. */
  significantDigits = 0;
  integerDigits = 0;
  exponentDigits = 0;
  private zeros = 0;
  private hasPoint = false;
  private hasExponent = false;

  /** Whether the byte is a part of the number; a sign before it is not. */
  follow(byte: number): boolean {
    if (byte >= ZERO && byte <= NINE) {
      this.isOpen = true;
      if (this.hasExponent) this.exponentDigits += 1;
      else this.add(byte);
      return true;
    }
    return this.isOpen && this.followSign(byte);
  }

  clear(): void {
    this.isOpen = false;
    this.isFraction = false;
    this.significantDigits = 0;
    this.integerDigits = 0;
    this.exponentDigits = 0;
    this.zeros = 0;
    this.hasPoint = false;
    this.hasExponent = false;
  }

  private followSign(byte: number): boolean {
    const isExponent = byte === 0x65 || byte === 0x45; // e, E
    if (byte !== POINT && !isExponent) return this.hasExponent && (byte === PLUS || byte === MINUS);
    this.isFraction = true;
    this.hasPoint ||= byte === POINT;
    this.hasExponent ||= isExponent;
    return true;
  }

  private add(digit: number): void {
    if (!this.hasPoint) this.integerDigits += 1;
    if (digit === ZERO) {
      if (this.significantDigits > 0) this.zeros += 1;
      return;
    }
    this.significantDigits += this.zeros + 1;
    this.zeros = 0;
  }
}

/** Digits that the value of a number needs, as `NumberShape` counts them. */
export function significantDigits(number: Uint8Array): number {
  const shape = new NumberShape();
  for (const byte of number) shape.follow(byte);
  return shape.significantDigits;
}
