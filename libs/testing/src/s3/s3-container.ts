import { eventually } from '../eventually.js';
import type { TestS3 } from './start-s3.js';

const IMAGE = 'chrislusf/seaweedfs:4.48';
const PORT = 8333;
const KEY = 'millrace-test';

/** Starts SeaweedFS with a bucket where Docker answers, and gives nothing where it does not. */
export async function startS3Container(bucket: string): Promise<TestS3 | undefined> {
  // Loaded here, since most suites need none and it takes its time.
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  const answers = await getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
  if (!answers) return undefined;
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts(PORT)
    .withEnvironment({ AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: KEY })
    .withCommand(['mini', '-dir=/data', `-bucket=${bucket}`])
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const endpoint = `http://${container.getHost()}:${container.getMappedPort(PORT)}`;
  // Without a signature a bucket that is there is forbidden, and one that is not is missing.
  await eventually('the bucket is there', async () => {
    const answer = await fetch(`${endpoint}/${bucket}`, { method: 'HEAD' });
    return answer.status < 500 && answer.status !== 404;
  });
  return {
    endpoint,
    region: 'us-east-1',
    bucket,
    credentials: { accessKeyId: KEY, secretAccessKey: KEY },
    forcePathStyle: true,
    stop: async () => {
      await container.stop();
    },
  };
}
