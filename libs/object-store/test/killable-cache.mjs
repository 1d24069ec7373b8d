/**
 * A read cache in a process of its own, over a folder store whose objects it has to copy. Its one argument is JSON:
 * `{ folder, root, files, stopAfter }`. Acquires the files one after the other, says `{ outcomes, sizeBytes }`, and waits;
 * with `stopAfter` it stops in the middle of the last file, after so many ranges of it, and says `stopped`.
 */
import { FolderObjectStore, ReadCache } from '@millrace/object-store';
import { createLogger, Registry } from '@millrace/telemetry';

const { folder, root, files, stopAfter } = JSON.parse(process.argv[2]);
const objects = await new FolderObjectStore(folder).open();
// Keeps the process until its parent ends it, or is gone.
process.on('message', () => undefined);
let rangesLeft = stopAfter ?? Number.POSITIVE_INFINITY;

const store = {
  find: (...given) => objects.find(...given),
  get: (key, options) => {
    if (key === files.at(-1).storageKey) rangesLeft -= 1;
    if (rangesLeft >= 0) return objects.get(key, options);
    process.send('stopped');
    return new Promise(() => undefined);
  },
};

const cache = await ReadCache.open({
  store,
  root,
  metrics: new Registry(),
  logger: createLogger({ level: 'silent', service: 'killable-cache' }),
  options: { bytesMax: 1024 ** 3, rangeBytes: 1_000 },
});
const outcomes = [];
for (const file of files) {
  try {
    await (await cache.acquire({ ...file, signal: new AbortController().signal })).release();
    outcomes.push('here');
  } catch (error) {
    outcomes.push(error.code);
  }
}
process.send({ outcomes, sizeBytes: cache.sizeBytes });
