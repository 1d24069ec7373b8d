import type { ProfiledType } from './profiled-type.js';

/** A column whose values are looked at. */
export interface ProfiledColumn extends Partial<ProfiledType> {
  /** In the file. */
  readonly name: string;
  readonly type: string;
  /** Its place in the table, from 0. */
  readonly index: number;
}
