import { readdir, readFile } from 'node:fs/promises';

/** Of the kernel's clock; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * The CPU time of a process, of those below it, and of those below it that have ended. 0 where there is no `/proc`.
 *
 * @param {number} rootPid
 */
export async function cpuSecondsOf(rootPid) {
  const times = await Promise.all((await treeOf(rootPid)).map(cpuTicksOf));
  return times.reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
}

/** @param {number} pid */
async function cpuTicksOf(pid) {
  const { own, ended } = await cpuTimesOf(pid);
  return (own + ended) * TICKS_PER_SECOND;
}

/**
 * The CPU time of one process, and of those below it that have ended, in seconds.
 *
 * @param {number} pid
 */
export async function cpuTimesOf(pid) {
  const fields = await statFieldsOf(pid);
  // utime, stime, cutime and cstime, by their places behind the name of the program.
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: (user + system) / TICKS_PER_SECOND, ended: (endedUser + endedSystem) / TICKS_PER_SECOND };
}

/** What stands in `/proc/<pid>/stat` behind the name, which can hold anything. @param {number} pid */
async function statFieldsOf(pid) {
  const text = await read(`/proc/${pid}/stat`);
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .filter((field) => field !== '');
}

/** A process and all below it. @param {number} rootPid @returns {Promise<number[]>} */
export async function treeOf(rootPid) {
  const children = await childrenOf(rootPid);
  return [rootPid, ...(await Promise.all(children.map(treeOf))).flat()];
}

/** The processes that a process has started and that have not ended. @param {number} pid @returns {Promise<number[]>} */
export async function childrenOf(pid) {
  const lists = await Promise.all((await threadsOf(pid)).map((thread) => read(`${thread}/children`)));
  return lists.flatMap((list) => list.split(' ').filter((child) => /^\d+$/.test(child))).map(Number);
}

/** Children are listed with the thread that started them. @param {number} pid */
async function threadsOf(pid) {
  const folder = `/proc/${pid}/task`;
  const threads = await readdir(folder).catch(() => []);
  return threads.map((thread) => `${folder}/${thread}`);
}

/** The most memory a process has had, by the kernel's own figure. @param {number} pid */
export async function peakBytesOf(pid) {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(await read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) * 1_024;
}

/** The words a process was started with. @param {number} pid */
export async function commandOf(pid) {
  return (await read(`/proc/${pid}/cmdline`)).split('\0').join(' ');
}

/** Nothing when the process has ended, or the system has no such file. @param {string} path */
const read = (path) => readFile(path, 'utf8').catch(() => '');
