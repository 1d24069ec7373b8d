import { statfs } from 'node:fs/promises';
import { DomainError } from '@millrace/domain';

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;

/** What a conversion leaves free: Postgres may be on the same disk, and nothing works without it. */
const RESERVE_SHARE = 0.05;
const RESERVE_BYTES_MIN = 1 * GiB;
/** So much is enough on any disk, also on a large one that is nearly full. */
const RESERVE_BYTES_MAX = 10 * GiB;
/** Bytes between two looks at the disk. */
const LOOK_EVERY_BYTES = 64 * MiB;

export interface DiskSpace {
  readonly totalBytes: number;
  /** For users without privileges. */
  readonly freeBytes: number;
}

export type LookAtDisk = () => Promise<DiskSpace>;

/** Looks at the disk of a folder. */
export function lookAtDiskOf(folder: string): LookAtDisk {
  return async () => {
    const { bsize, blocks, bavail } = await statfs(folder);
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  };
}

export function reserveBytesOf(totalBytes: number): number {
  return Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, RESERVE_SHARE * totalBytes));
}

/** Keeps one conversion from filling a disk that others share. */
export class DiskReserve {
  private claimedBytes = 0;

  constructor(private readonly look: LookAtDisk) {}

  /** @throws DomainError `storage.full` when so many bytes more would leave less than the reserve */
  async claim(bytes: number): Promise<void> {
    const { totalBytes, freeBytes } = await this.look();
    if (freeBytes - bytes < reserveBytesOf(totalBytes)) {
      const detail = 'There is too little room on the disk to unpack the file. Try again when there is more.';
      throw new DomainError('storage.full', detail);
    }
    this.claimedBytes = bytes;
  }

  /** Takes bytes that are about to be written from what was claimed, and claims more when that is used up. */
  async spend(bytes: number): Promise<void> {
    if (bytes > this.claimedBytes) await this.claim(Math.max(bytes, LOOK_EVERY_BYTES));
    this.claimedBytes -= bytes;
  }
}
