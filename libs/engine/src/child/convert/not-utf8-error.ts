import type { FilePlace } from './conversion-error.js';

/** A text was read as UTF-8 and is not. What it is instead is found out by whoever catches this. */
export class NotUtf8Error extends Error {
  /** @param place of the first bytes that are not */
  constructor(readonly place: FilePlace) {
    super('The text is not UTF-8.');
  }
}
