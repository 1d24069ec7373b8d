import { eventually } from '../eventually.js';
import { RedisServer } from './redis-server.js';

const NODES = 3;
const NODE_TIMEOUT_MS = 2_000;

/** A cluster of three masters without replicas. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async start(): Promise<RedisCluster> {
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${NODE_TIMEOUT_MS}`];
    const nodes: RedisServer[] = [];
    for (let count = 0; count < NODES; count += 1) nodes.push(await RedisServer.start({ args }));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await nodes[0]?.cli(['--cluster', 'create', ...addresses, '--cluster-yes'], 60_000);
    const cluster = new RedisCluster(nodes);
    await cluster.isReady();
    return cluster;
  }

  get url(): string {
    return `redis+cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** The node that has a key, or everything with the same hash tag. */
  async nodeOf(key: string): Promise<RedisServer> {
    for (const node of this.nodes) {
      const answer = await node.run('EXISTS', key).catch(() => 'MOVED');
      if (!answer.includes('MOVED')) return node;
    }
    throw new Error(`no node has ${key}`);
  }

  /** Waits until all nodes agree that the cluster works. */
  async isReady(): Promise<void> {
    const isOk = async (node: RedisServer) => (await node.run('CLUSTER', 'INFO')).includes('cluster_state:ok');
    const areOk = async () => (await Promise.all(this.nodes.map(isOk))).every(Boolean);
    await eventually('the cluster works', areOk, 60_000);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}
