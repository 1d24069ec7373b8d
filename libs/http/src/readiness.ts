/** Throws when a dependency does not answer; the error says what is missing. */
export type HealthCheck = (signal: AbortSignal) => Promise<void>;

export interface CheckOutcome {
  readonly status: 'up' | 'down';
  /** What is missing, for everybody who may ask. */
  readonly detail?: string;
  /** What the dependency itself said, for those who run the service. */
  readonly cause?: string;
}

export interface ReadinessReport {
  readonly isReady: boolean;
  /** By the name of the dependency. */
  readonly checks: Readonly<Record<string, CheckOutcome>>;
}

const CHECK_TIMEOUT_MS = 2_000;

/** Whether a process can do its work: what it needs, each by its name, and whether it is about to end. */
export class Readiness {
  private readonly checks = new Map<string, { readonly check: HealthCheck; readonly isRequired: boolean }>();
  private looking: Promise<ReadinessReport['checks']> | undefined;
  private isEnding = false;

  constructor(checks: Readonly<Record<string, HealthCheck>> = {}) {
    for (const [name, check] of Object.entries(checks)) this.set(name, check);
  }

  /** Whether the process is about to end. */
  get isDraining(): boolean {
    return this.isEnding;
  }

  /**
   * Adds a dependency, or looks at it in another way from now on.
   *
   * @param options.isRequired false for one that the process can work without: it is shown, and does not count
   */
  set(name: string, check: HealthCheck, { isRequired = true }: { readonly isRequired?: boolean } = {}): void {
    this.checks.set(name, { check, isRequired });
  }

  /** Looks at a dependency no more. */
  forget(name: string): void {
    this.checks.delete(name);
  }

  /** The process is about to end: from now on it is not ready, and load balancers lead requests elsewhere. */
  drain(): void {
    this.isEnding = true;
  }

  /** Looks at all dependencies. Those who ask at the same time cost them one look. */
  async look(): Promise<ReadinessReport> {
    this.looking ??= this.lookAtAll().finally(() => (this.looking = undefined));
    const checks = await this.looking;
    const isMissing = (name: string): boolean =>
      checks[name]?.status === 'down' && this.checks.get(name)?.isRequired === true;
    return { isReady: !this.isEnding && !Object.keys(checks).some(isMissing), checks };
  }

  private async lookAtAll(): Promise<ReadinessReport['checks']> {
    const outcomes = [...this.checks].map(async ([name, { check }]) => [name, await outcomeOf(check)] as const);
    return Object.fromEntries(await Promise.all(outcomes));
  }
}

async function outcomeOf(check: HealthCheck): Promise<CheckOutcome> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const timeout = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), {
      once: true,
    }),
  );
  try {
    await Promise.race([check(signal), timeout]);
    return { status: 'up' };
  } catch (error) {
    if (!(error instanceof Error)) return { status: 'down', detail: String(error) };
    const { message: detail, cause } = error;
    return { status: 'down', detail, ...(cause instanceof Error && { cause: cause.message }) };
  }
}
