import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { type Manifest, manifestSchema } from './manifest.js';

const FOLDER = fileURLToPath(new URL('../../../k8s/', import.meta.url));
const RENDER_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 ** 2;
/** Another one than the first on the PATH, to try a version. */
const KUBECTL = process.env['KUBECTL'] ?? 'kubectl';

/** What `kubectl apply -k` would send, as `kubectl kustomize` renders it. */
export function kustomize(overlay: string): Manifest[] {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-k8s-'));
  try {
    cpSync(FOLDER, scratch, { recursive: true });
    if (isOld()) globSync(join(scratch, '**/kustomization.yaml')).forEach(translate);
    const text = kubectl(['kustomize', join(scratch, 'overlays', overlay)]);
    return parseAllDocuments(text).map((document) => manifestSchema.parse(document.toJS()));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function kubectl(args: string[]): string {
  try {
    return execFileSync(KUBECTL, args, { encoding: 'utf8', timeout: RENDER_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX });
  } catch (cause) {
    // No `instanceof Error`: errors of Node are of another realm than a test is.
    const isMissing = typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ENOENT';
    throw isMissing ? new Error(`These tests need ${KUBECTL}; CONTRIBUTING.md says which.`, { cause }) : cause;
  }
}

/** Debian 12 has the kubectl of 2020. From 1.24 on it tells the version of its kustomize. */
const isOld = (): boolean => !kubectl(['version', '--client']).includes('Kustomize Version');

const oldNamesSchema = z.looseObject({
  resources: z.array(z.string()),
  patches: z.array(z.strictObject({ path: z.string() })).optional(),
});

/** The kustomize of that time knows folders and patches by other names, which today's would rather not see any more. */
function translate(file: string): void {
  const { resources, patches, ...rest } = oldNamesSchema.parse(parse(readFileSync(file, 'utf8')));
  const isFile = (path: string) => path.endsWith('.yaml');
  const translated = {
    ...rest,
    resources: resources.filter(isFile),
    bases: resources.filter((path) => !isFile(path)),
    ...(patches && { patchesStrategicMerge: patches.map(({ path }) => path) }),
  };
  writeFileSync(file, stringify(translated));
}
