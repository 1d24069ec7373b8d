import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inTurn, secondsOf } from '../harness/compare.mjs';
import { send } from '../harness/tenant.mjs';

const RECEIVER = fileURLToPath(new URL('../harness/bare-receiver.mjs', import.meta.url));
const CHUNK_BYTES = 1_000_000;
const CHUNKS = Array.from({ length: 8 }, () => randomBytes(CHUNK_BYTES));
const AIM = { min: 0.8 };

/** @type {import('./index.mjs').Measurement} */
export const upload = {
  name: 'upload',
  about: 'bytes per second into the store, against a bare Node server that writes and hashes them',
  async *measure(bench) {
    const megabytes = bench.quick ? 64 : 1_000;
    const millrace = await bench.millrace();
    const bare = bench.ending(await startReceiver(bench.folder));
    const { tenant } = millrace;
    const work = (url, headers) => async () => {
      const seconds = await secondsOf(() => send(url, headers, freshBytes(megabytes)));
      return megabytes / seconds;
    };
    const compared = await inTurn({
      ours: { pid: millrace.pid, work: work(`${tenant.url}/v1/files`, tenant.headers) },
      raw: { pid: bare.pid, work: work(bare.url, {}) },
      runs: bench.quick ? 2 : 5,
      signal: bench.signal,
    });
    await bare.stop();
    const name = `upload of ${megabytes.toLocaleString('en')} MB`;
    yield { name, unit: 'MB/s', ...compared, compare: 'ratio', value: compared.ratio, aim: AIM };
  },
};

/** Bytes that no upload before had, or they would be found to be there already. @param {number} megabytes */
async function* freshBytes(megabytes) {
  const first = Buffer.concat([randomBytes(64), CHUNKS[0].subarray(64)]);
  for (let index = 0; index < megabytes; index += 1) yield index === 0 ? first : CHUNKS[index % CHUNKS.length];
}

async function startReceiver(folder) {
  const child = spawn(process.execPath, [RECEIVER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${Number(port)}/`,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
