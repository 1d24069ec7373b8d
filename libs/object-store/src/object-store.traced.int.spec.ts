import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeObjectStore } from '@millrace/testing/object-store-conformance';
import { FolderObjectStore } from './object-store.folder.js';
import { TracedObjectStore } from './object-store.traced.js';

describeObjectStore('traced', async () => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-traced-'));
  const store = new TracedObjectStore(await new FolderObjectStore(root).open());
  return { store, close: () => rm(root, { recursive: true }) };
});
