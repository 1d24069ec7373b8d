import { errorFields, type Logger } from '@millrace/telemetry';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is closed after an unexpected error may hang for the same reason; nobody waits for it longer than this. */
const CLOSE_AFTER_ERROR_MAX_MS = 15_000;
const INTERRUPTED_CODE = 130;

export interface EndingOptions {
  readonly logger: Logger;
  /** Tells the person at the terminal. */
  readonly say: (text: string) => void;
  /** Tells why the process ends with an error. */
  readonly complain: (error: unknown) => void;
  /** Where the details of an unexpected error are, if not on the terminal. */
  readonly logPath?: string;
  /** How long everything may take after a signal, a start that goes on or the closing; beyond that the code is 1. */
  readonly closeMaxMs?: number;
}

/**
 * How the process ends. At the first signal what runs may end, everything is closed, and the code is 0; a second one
 * does not wait. At an error that nobody handles the log and the terminal are told, everything is closed, and the code
 * is 1: what such an error has left behind nobody knows, and the next start finds its way from any state.
 */
export class Ending {
  private readonly starting = new AbortController();
  private close: (() => Promise<void>) | undefined;
  private isEnding = false;
  private hasFailed = false;

  constructor(private readonly options: EndingOptions) {}

  /** Aborted when the process has to end before its start was complete. */
  get signal(): AbortSignal {
    return this.starting.signal;
  }

  watch(): void {
    for (const name of SIGNALS) process.on(name, () => this.onSignal());
    process.on('uncaughtException', (error) => this.fail(error));
    process.on('unhandledRejection', (reason) => this.fail(reason));
    // A terminal that was closed is no reason to end badly.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  }

  /** The start is complete: from here on `close` undoes it. */
  onStarted(close: () => Promise<void>): void {
    this.close = close;
    if (this.isEnding) this.closeAndExit(close);
  }

  /** The start did not work, and what it had begun is closed. */
  onStartFailed(error: unknown): void {
    if (!this.isEnding) {
      this.options.complain(error);
      this.hasFailed = true;
    }
    this.exit();
  }

  /** Something is wrong that nobody can handle. What goes wrong after that is not told: mostly it follows from it. */
  fail(error: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    const stack = error instanceof Error ? error.stack : String(error);
    this.options.logger.fatal({ ...errorFields(error), stack }, 'an unexpected error ends the process');
    this.options.complain(error);
    const { logPath } = this.options;
    this.options.complain(
      `This was unexpected, so Millrace stops.${logPath === undefined ? '' : ` Details: ${logPath}`}`,
    );
    setTimeout(() => this.exit(), CLOSE_AFTER_ERROR_MAX_MS).unref();
    this.end();
  }

  private onSignal(): void {
    if (this.isEnding) process.exit(INTERRUPTED_CODE);
    this.options.say('\nStopping; what runs may end first. Press Ctrl-C again to stop at once.\n');
    this.end();
  }

  private end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.limitTime();
    if (this.close) this.closeAndExit(this.close);
    else this.starting.abort();
  }

  private limitTime(): void {
    const { closeMaxMs, logger } = this.options;
    if (closeMaxMs === undefined) return;
    setTimeout(() => {
      logger.fatal({ closeMaxMs }, 'the process could not be closed in time');
      process.exit(1);
    }, closeMaxMs).unref();
  }

  private closeAndExit(close: () => Promise<void>): void {
    close().then(
      () => this.exit(),
      (error: unknown) => {
        this.options.complain(error);
        this.hasFailed = true;
        this.exit();
      },
    );
  }

  private exit(): never {
    process.exit(this.hasFailed ? 1 : 0);
  }
}
