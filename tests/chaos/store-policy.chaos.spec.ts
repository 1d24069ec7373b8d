import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { APPS, eventually, type S3OperationName, type ServiceRun } from '@millrace/testing';
import { Fleet } from '../e2e/harness/fleet/fleet.js';

const TEST_MAX_MS = 180_000;
/** A try to open the store, and the pause before it, on a machine that is busy with other things. */
const LOOK_MAX_MS = 30_000;

interface Mistake {
  readonly what: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly says: string;
}

const MISTAKES: readonly Mistake[] = [
  {
    what: 'a wrong key',
    variables: { AWS_SECRET_ACCESS_KEY: 'not the secret' },
    says: 'The credentials of the object store are not valid (SignatureDoesNotMatch).',
  },
  {
    what: 'a key that nobody knows',
    variables: { AWS_ACCESS_KEY_ID: 'NOBODY' },
    says: 'The credentials of the object store are not valid (InvalidAccessKeyId).',
  },
  {
    what: 'a bucket that is not there',
    variables: { S3_BUCKET: 'not-there' },
    says: 'There is no bucket "not-there".',
  },
];

/** Of what the policy has to allow: a call that each request needs, and one that nobody would miss for long. */
const DENIED = [
  { of: 'PutObject', action: 's3:PutObject' },
  { of: 'AbortMultipartUpload', action: 's3:AbortMultipartUpload' },
] as const satisfies readonly { readonly of: S3OperationName; readonly action: string }[];

describe('a process that may not use its store', () => {
  let fleet: Fleet;
  let run: ServiceRun | undefined;

  beforeAll(async () => {
    fleet = await Fleet.start({
      counts: { gateway: 0, 'query-service': 0, 'convert-worker': 0, 'maintenance-worker': 0 },
    });
  }, TEST_MAX_MS);
  afterEach(async () => {
    fleet.s3.heal();
    await run?.stop('SIGKILL');
  });
  afterAll(() => fleet.stop(), TEST_MAX_MS);

  const untilItSays = (process: ServiceRun, detail: string) =>
    eventually(`/readyz says: ${detail}`, async () => (await storeCheckOf(process))?.detail === detail, LOOK_MAX_MS);

  it.each(MISTAKES)(
    'for $what is not ready, and says so',
    async ({ variables, says }) => {
      await fleet.explained(async () => {
        run = fleet.begin('maintenance-worker', variables);
        await untilItSays(run, says);
        expect(await run.isReady()).toBe(false);
      });
    },
    TEST_MAX_MS,
  );

  it.each(DENIED)(
    'since $of is denied is not ready, names $action, and becomes ready once that is allowed',
    async ({ of, action }) => {
      await fleet.explained(async () => {
        fleet.s3.deny(of);
        run = fleet.begin('maintenance-worker');
        await untilItSays(run, `The object store does not allow ${action} on the bucket "${fleet.bucket}".`);
        expect(await run.isReady()).toBe(false);
        fleet.s3.heal();
        await run.untilReady();
      });
    },
    TEST_MAX_MS,
  );

  it(
    'is not ready, and becomes ready when it may, whatever it serves',
    async () => {
      await fleet.explained(async () => {
        fleet.s3.deny();
        const runs = APPS.map((app) => fleet.begin(app));
        const says = `The object store does not allow s3:ListBucket on the bucket "${fleet.bucket}".`;
        await Promise.all(runs.map((each) => untilItSays(each, says)));
        expect(await Promise.all(runs.map((each) => each.isReady()))).toEqual(APPS.map(() => false));
        fleet.s3.heal();
        await fleet.untilReady();
        expect(await Promise.all(runs.map(storeCheckOf))).toEqual(APPS.map(() => ({ status: 'up' })));
      });
    },
    TEST_MAX_MS,
  );
});

interface CheckSeen {
  readonly status: string;
  readonly detail?: string;
}

/** What the operations door says of the object store, once it is open. */
async function storeCheckOf(run: ServiceRun): Promise<CheckSeen | undefined> {
  const page = await run.page('/readyz').catch(() => undefined);
  if (page === undefined) return undefined;
  const { checks } = JSON.parse(page) as { checks: Readonly<Record<string, CheckSeen>> };
  return checks['object_store'];
}
