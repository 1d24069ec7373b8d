// Upload throughput and memory: Millrace against a bare Node server that writes and hashes the same bytes.
//
//   node_modules/.bin/node bench/upload.mjs [--megabytes 1024] [--runs 3]
//
// Both run in turn on this machine, each in a process of its own with 256 MB of heap; quote the ratio.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HEAP_MB = 256;
const MB = 1024 * 1024;
const CHUNK_BYTES = MB;
const START_MAX_MS = 120_000;

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1024' },
    runs: { type: 'string', default: '3' },
    baseline: { type: 'string' },
  },
});

if (values.baseline) serveBaseline(values.baseline);
else await compare(Number(values.megabytes), Number(values.runs));

/** The least that an upload can be: bytes into a file, and their SHA-256. */
function serveBaseline(folder) {
  const receive = async (request, response) => {
    const hash = createHash('sha256');
    const hashing = new Transform({
      transform(chunk, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline(request, hashing, createWriteStream(join(folder, 'baseline')));
    response.writeHead(201).end(hash.digest('hex'));
  };
  const server = createServer((request, response) => void receive(request, response));
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
}

async function compare(megabytes, runs) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await chmod(folder, 0o711);
  const bare = await startBaseline(folder);
  const millrace = await startMillrace(join(folder, 'data'));
  try {
    const rows = [];
    for (let run = 0; run < runs; run += 1) {
      const baseline = await upload(`${bare.url}/`, {}, megabytes);
      const ours = await upload(`${millrace.url}/v1/files`, { authorization: `Bearer ${millrace.apiKey}` }, megabytes);
      rows.push({ 'bare MB/s': round(baseline), 'Millrace MB/s': round(ours), ratio: round(ours / baseline, 2) });
    }
    console.table(rows);
    const ratios = rows.map(({ ratio }) => ratio).sort((a, b) => a - b);
    console.log(
      `Median ratio ${ratios[Math.floor(ratios.length / 2)]} for ${megabytes} MB, heap of at most ${HEAP_MB} MB.`,
    );
    console.log(`Peak memory (RSS): bare ${await peakMb(bare.pid)} MB, Millrace ${await peakMb(millrace.pid)} MB.`);
  } finally {
    for (const { process: child } of [bare, millrace]) {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function startBaseline(folder) {
  const child = start([fileURLToPath(import.meta.url), '--baseline', folder], {});
  const [port] = await once(child.stdout, 'data');
  return { process: child, pid: child.pid, url: `http://127.0.0.1:${Number(port)}` };
}

async function startMillrace(dataFolder) {
  const main = fileURLToPath(new URL('../apps/standalone/dist/main.js', import.meta.url));
  const child = start([main], { PORT: '0', DATA_DIR: dataFolder, LOG_LEVEL: 'warn' });
  child.stdout.resume();
  for (const deadline = Date.now() + START_MAX_MS; Date.now() < deadline; await sleep(100)) {
    if (child.exitCode !== null) break;
    const text = await readFile(join(dataFolder, 'credentials.json'), 'utf8').catch(() => undefined);
    if (!text) continue;
    const { url, api_key: apiKey } = JSON.parse(text);
    return { process: child, pid: child.pid, url, apiKey };
  }
  throw new Error('Millrace did not start.');
}

function start(args, environment) {
  return spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, ...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Sends fresh bytes, so that nothing is found to be there already. Gives MB per second. */
async function upload(url, headers, megabytes) {
  const chunk = randomBytes(CHUNK_BYTES);
  async function* bytes() {
    for (let index = 0; index < megabytes; index += 1) {
      // Another first byte in every chunk and run: the content differs, and costs nothing to make.
      chunk.writeUInt32LE((index * 2_654_435_761) % 2 ** 32, 0);
      yield Buffer.from(chunk);
    }
  }
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: Readable.toWeb(Readable.from(bytes())),
    duplex: 'half',
  });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`The upload failed: ${response.status} ${answer}`);
  return megabytes / ((performance.now() - startedAt) / 1_000);
}

/** The kernel's own figure for a process; other systems have none. */
async function peakMb(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes ? Math.round(Number(kilobytes) / 1_024) : '?';
}

function round(value, digits = 0) {
  return Number(value.toFixed(digits));
}
