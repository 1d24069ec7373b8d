import { z } from 'zod';
import { databaseVariables } from './variables/database.js';
import { engineVariables } from './variables/engine.js';
import { lifetimesVariables } from './variables/lifetimes.js';
import { queueVariables } from './variables/queue.js';
import { requestsVariables } from './variables/requests.js';
import { serviceVariables } from './variables/service.js';
import { storageVariables } from './variables/storage.js';
import { telemetryVariables } from './variables/telemetry.js';

/**
 * Every environment variable that Millrace reads, with its default. A name ends in its unit. An empty variable counts
 * as absent. `docs/configuration.md` is made from this list.
 */
export const environmentSchema = z.object({
  ...serviceVariables,
  ...databaseVariables,
  ...storageVariables,
  ...queueVariables,
  ...requestsVariables,
  ...lifetimesVariables,
  ...engineVariables,
  ...telemetryVariables,
});

export type Environment = z.output<typeof environmentSchema>;

/** A setting is wrong: says which and why, for the person who starts the service. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Parses the environment once; called by the `main.ts` of an app, which hands the result on.
 *
 * @throws ConfigError naming every variable that is wrong
 */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const present = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
}

/**
 * A setting that has no default, for a service that can't do without.
 *
 * @throws ConfigError that names it
 */
export function requireSetting<K extends keyof Environment>(
  environment: Environment,
  name: K,
): NonNullable<Environment[K]> {
  const value = environment[name];
  if (value === undefined || value === null) throw new ConfigError([`${name}: this service needs it.`]);
  return value;
}
