import { describe, expect, it } from '@jest/globals';
import { DiskReserve, type DiskSpace, reserveBytesOf } from './disk-reserve.js';

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;

/** A disk of 40 GiB, of which 2 GiB are to stay free. */
function diskOf(freeBytes: number): { space: DiskSpace; looks: number; look: () => Promise<DiskSpace> } {
  const disk = {
    space: { totalBytes: 40 * GiB, freeBytes },
    looks: 0,
    look: async () => {
      disk.looks += 1;
      return disk.space;
    },
  };
  return disk;
}

describe('the bytes that stay free', () => {
  it.each([
    [8 * GiB, 1 * GiB],
    [40 * GiB, 2 * GiB],
    [4_000 * GiB, 10 * GiB],
  ])('of %d are %d', (totalBytes, reserve) => {
    expect(reserveBytesOf(totalBytes)).toBe(reserve);
  });
});

describe('DiskReserve', () => {
  it('lets through what leaves the reserve, and nothing more', async () => {
    const disk = diskOf(2 * GiB + 100 * MiB);
    await new DiskReserve(disk.look).claim(100 * MiB);
    await expect(new DiskReserve(disk.look).claim(101 * MiB)).rejects.toMatchObject({ code: 'storage.full' });
  });

  it('looks again after some bytes, not at each piece', async () => {
    const disk = diskOf(3 * GiB);
    const reserve = new DiskReserve(disk.look);
    for (let piece = 0; piece < 1_280; piece += 1) await reserve.spend(0.1 * MiB);
    expect(disk.looks).toBeLessThan(5);
  });

  it('stops while bytes are written when others take the room', async () => {
    const disk = diskOf(3 * GiB);
    const reserve = new DiskReserve(disk.look);
    await reserve.claim(1 * MiB);
    disk.space = { ...disk.space, freeBytes: 2 * GiB + 1 * MiB };
    const spendAll = async (): Promise<void> => {
      for (let piece = 0; piece < 100; piece += 1) await reserve.spend(1 * MiB);
    };
    await expect(spendAll()).rejects.toMatchObject({ code: 'storage.full' });
  });
});
