import { ChildUsers, type UserSource } from './child-users.js';
import type { EnginePoolOptions } from './engine-options.js';
import { findGuards, type Guards } from './guards.js';
import { loggedError } from './logged-error.js';

const OURSELVES: UserSource = { areAlone: false, take: () => undefined, giveBack: () => undefined };

type SetupOptions = Pick<EnginePoolOptions, 'ownUsers' | 'sharedUser' | 'programFolders' | 'logger'>;

interface Way {
  readonly users: UserSource;
  /** Only `setpriv` can leave the network first and then be a user that has no name here. */
  readonly needsSetpriv: boolean;
  /** Said when it comes to this. */
  readonly warning?: string;
}

/** Who children are and what stands around them: the strongest of what this system can do. */
export class ChildSetup {
  private constructor(
    readonly users: UserSource,
    readonly guards: Guards,
  ) {}

  /**
   * Tries to start a child, in the strongest way first, and says what is missing.
   *
   * @param trial starts one, or fails where its user can't read the program or the folder
   * @returns what the trial found, beside the way
   */
  static async choose<T>(
    options: SetupOptions,
    trial: (setup: ChildSetup) => Promise<T>,
  ): Promise<{ setup: ChildSetup; found: T }> {
    const { programFolders, logger } = options;
    let reason: unknown;
    for (const { users, needsSetpriv, warning } of waysOf(options)) {
      const user = users.take();
      const guards = await findGuards(programFolders, user);
      users.giveBack(user);
      if (needsSetpriv && !guards.setpriv) continue;
      const setup = new ChildSetup(users, guards);
      try {
        const found = await trial(setup);
        if (warning) logger.warn(reason === undefined ? {} : loggedError(reason), warning);
        warnOfMissing(guards, options);
        return { setup, found };
      } catch (error) {
        reason = error;
      }
    }
    throw reason;
  }
}

function waysOf({ ownUsers, sharedUser }: SetupOptions): Way[] {
  if (process.getuid?.() !== 0) return [{ users: OURSELVES, needsSetpriv: false }];
  const shared: UserSource = { areAlone: false, take: () => sharedUser, giveBack: () => undefined };
  return [
    { users: new ChildUsers(ownUsers), needsSetpriv: true },
    { users: shared, needsSetpriv: false, warning: 'engine processes share a user: none can be its own here' },
    {
      users: OURSELVES,
      needsSetpriv: false,
      warning: 'engine processes stay root: the unprivileged user can not start one',
    },
  ];
}

function warnOfMissing({ prlimit, setpriv, unshare }: Guards, { logger }: SetupOptions): void {
  if (!prlimit) logger.warn({}, 'no prlimit on this system: engine processes have no memory fence');
  if (!setpriv) logger.warn({}, 'setpriv does not work on this system: engine processes may gain privileges');
  if (!unshare) logger.warn({}, 'unshare does not work on this system: engine processes share the network');
}
