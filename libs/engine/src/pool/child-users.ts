import { randomInt } from 'node:crypto';
import type { ChildUser } from './child-folder.js';

/** Who children are. */
export interface UserSource {
  /** Whether no two that live are the same, and nobody else is one of them. */
  readonly areAlone: boolean;
  /** Undefined: the service's own user. */
  take(): ChildUser | undefined;
  giveBack(user: ChildUser | undefined): void;
}

/** Numbers of users that belong to nobody on this machine. */
export interface UserRange {
  readonly first: number;
  /** Many more than there are children. */
  readonly count: number;
}

/**
 * Users for children, each with a group of the same number: no two children that live are the same, so that one whose
 * code was taken over can neither read what another one has nor send it a signal. Numbers are drawn by lot, because other
 * services of the machine draw from the same range and there is nobody to ask.
 */
export class ChildUsers implements UserSource {
  readonly areAlone = true;
  private readonly taken = new Set<number>();

  constructor(private readonly range: UserRange) {}

  /** A user that no living child of this pool is. */
  take(): ChildUser {
    if (this.taken.size >= this.range.count) throw new RangeError('There are no more users for engine processes.');
    let uid = this.draw();
    while (this.taken.has(uid)) uid = this.draw();
    this.taken.add(uid);
    return { uid, gid: uid };
  }

  giveBack(user: ChildUser): void {
    this.taken.delete(user.uid);
  }

  private draw(): number {
    return this.range.first + randomInt(this.range.count);
  }
}
