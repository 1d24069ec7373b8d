import { z } from 'zod';
import { type Manifest, theOne, type Workload } from './manifest.js';

const dataSchema = z.record(z.string(), z.string());

/** Values of secrets that look like real ones, for settings that are checked when they are read. */
const SECRETS: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://user:password@postgres:5432/millrace',
  REDIS_URL: 'redis://:password@redis:6379',
  INTERNAL_SECRET: 'x'.repeat(48),
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: 'secret',
  BOOTSTRAP_API_KEY: `mr_${'x'.repeat(43)}`,
};

/** The environment that a container would have: its ConfigMap, then its own variables, with secrets made up. */
export function environmentOf({ container }: Workload, manifests: readonly Manifest[]): Record<string, string> {
  const settings = container.envFrom.flatMap(({ configMapRef }) =>
    Object.entries(dataSchema.parse(theOne(manifests, 'ConfigMap', configMapRef.name)['data'])),
  );
  const own = container.env.map(({ name, value, valueFrom }) => {
    const found = value ?? SECRETS[valueFrom?.secretKeyRef.key ?? ''];
    if (found === undefined) throw new Error(`${container.name} takes ${name} from nowhere`);
    return [name, found] as const;
  });
  return Object.fromEntries([...settings, ...own]);
}
