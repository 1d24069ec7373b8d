/** The types of Thrift's compact protocol, as its field and list headers number them. */
export const CompactType = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const;

/** The end of a struct, in the place of a type. */
const STOP = 0;
/** In the place of a list's length: the length follows. */
const LONG_LIST = 15;
const VARINT_BYTES_MAX = 10;
/** Structs and lists within each other; Parquet's footer has about eight. */
const DEPTH_MAX = 32;

/** Is told the number and the type of a field, and must read or skip its value. */
export type FieldVisitor = (field: number, type: number) => void;

/**
 * Reads Thrift's compact protocol and keeps nothing: whoever wants a value takes it on the way. Time is bounded by the
 * number of bytes, since everything read takes at least one, and memory by `DEPTH_MAX`, whatever the bytes say.
 *
 * Every method throws a RangeError when the bytes are not what they should be.
 */
export class CompactReader {
  #position = 0;
  #depth = 0;

  constructor(private readonly bytes: Uint8Array) {}

  readStruct(visit: FieldVisitor): void {
    this.#enter();
    let field = 0;
    for (let header = this.#readByte(); header !== STOP; header = this.#readByte()) {
      const delta = header >> 4;
      field = delta === 0 ? this.readInteger() : field + delta;
      visit(field, header & 0x0f);
    }
    this.#depth -= 1;
  }

  /** Reads a list of structs; asks for the visitor of each by its index. */
  readStructs(visitorOf: (index: number) => FieldVisitor): void {
    this.#readList((type, index) => {
      if (type !== CompactType.struct) throw new RangeError('The list holds no structs.');
      this.readStruct(visitorOf(index));
    });
  }

  /** An i16, i32 or i64; exact up to 2^53. */
  readInteger(): number {
    const zigzag = this.#readVarint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  /** Passes the value of a field by. */
  skip(type: number): void {
    switch (type) {
      // The value of a field of this type is the type.
      case CompactType.true:
      case CompactType.false:
        return;
      case CompactType.i8:
        return this.#advance(1);
      case CompactType.i16:
      case CompactType.i32:
      case CompactType.i64:
        return void this.#readVarint();
      case CompactType.double:
        return this.#advance(8);
      case CompactType.binary:
        return this.#advance(this.#readVarint());
      case CompactType.list:
      case CompactType.set:
        return this.#readList((elementType) => this.#skipElement(elementType));
      case CompactType.struct:
        return this.readStruct((_, fieldType) => this.skip(fieldType));
      default:
        throw new RangeError(`There is no type ${type}.`);
    }
  }

  #readList(visit: (elementType: number, index: number) => void): void {
    this.#enter();
    const header = this.#readByte();
    const short = header >> 4;
    const length = short === LONG_LIST ? this.#readVarint() : short;
    for (let index = 0; index < length; index += 1) visit(header & 0x0f, index);
    this.#depth -= 1;
  }

  /** Other than in a field, a boolean takes a byte here. */
  #skipElement(type: number): void {
    const isBoolean = type === CompactType.true || type === CompactType.false;
    return isBoolean ? this.#advance(1) : this.skip(type);
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new RangeError('The structs are too deep.');
  }

  #readByte(): number {
    const byte = this.bytes[this.#position];
    if (byte === undefined) throw new RangeError('The bytes end too early.');
    this.#position += 1;
    return byte;
  }

  #readVarint(): number {
    let value = 0;
    for (let index = 0; index < VARINT_BYTES_MAX; index += 1) {
      const byte = this.#readByte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new RangeError('A number is too long.');
  }

  #advance(count: number): void {
    this.#position += count;
    if (this.#position > this.bytes.length) throw new RangeError('The bytes end too early.');
  }
}
