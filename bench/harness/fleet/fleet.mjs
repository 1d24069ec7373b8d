import { mkdir } from 'node:fs/promises';
import pg from 'pg';
import { Catalog } from '@millrace/catalog';
import { createTenant, RedisServer, runMigrations, S3Proxy, s3Variables, ServiceRun, startS3 } from '@millrace/testing';
import { Tenant } from '../tenant.mjs';
import { Balancer } from './balancer.mjs';

/** Whatever the machine has, the same number of engine processes in each service. */
const SETTINGS = {
  INTERNAL_SECRET: 'a secret of more than thirty-two characters',
  CONVERT_CONCURRENCY: '2',
  QUERY_CHILDREN_MAX: '4',
  QUERY_CHILDREN_KEPT_MAX: '8',
  DRAIN_MS: '10000',
  // What a load leaves behind goes with it, and not in the middle of the next one.
  DELETION_GRACE_MS: '1000',
};

/**
 * What a fleet stands on.
 *
 * @typedef {object} Ground
 * @property {string} databaseUrl an empty database
 * @property {string} dataFolder that is not there yet
 * @property {'redis' | 'postgres'} queue
 * @property {'s3' | 'folder'} store
 * @property {boolean} [isWatched] a proxy stands before S3 and counts; it slows the store down
 * @property {AbortSignal} signal
 */

/** Services as processes of their own, as many of each as are asked for, on one machine. */
export class Fleet {
  #services = [];
  #closers = [];
  #variables;
  #signal;
  /** @type {Balancer} */
  #balancer;
  /** @type {pg.Client} */
  #client;

  /** @param {Ground} ground */
  constructor({ databaseUrl, dataFolder, signal }) {
    this.databaseUrl = databaseUrl;
    /** How often we have looked into the database ourselves, which is not the work of the services. */
    this.looks = 0;
    this.#signal = signal;
    this.#variables = { ...SETTINGS, DATABASE_URL: databaseUrl, DATA_DIR: dataFolder };
    /** Where the queue is, if it is not in Postgres. @type {RedisServer | undefined} */
    this.redis = undefined;
    /** Sees what goes to the store and comes from it, where it is watched. @type {S3Proxy | undefined} */
    this.s3 = undefined;
  }

  /** What carries the services; none of them runs yet. @param {Ground} ground */
  static async start(ground) {
    const fleet = new Fleet(ground);
    try {
      await fleet.#open(ground);
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /**
   * Starts and stops processes until there are so many of each service that is named.
   *
   * @param {Partial<Record<import('@millrace/testing').AppName, number>>} counts
   */
  async scale(counts) {
    const wanted = (/** @type {ServiceRun} */ { app }) => counts[app] ?? Infinity;
    const placeOf = (service) => this.#of(service.app).indexOf(service);
    const surplus = this.#services.filter((service) => placeOf(service) >= wanted(service));
    for (const app of Object.keys(counts)) {
      for (let count = this.#of(app).length; count < counts[app]; count += 1) this.#spawn(app);
    }
    this.#services = this.#services.filter((service) => !surplus.includes(service));
    // A gateway is ready when it reaches query services.
    await this.#untilReady(this.#of('query-service'));
    await this.#balancer.lead(this.#of('query-service').map(({ url }) => url));
    await Promise.all([this.#untilReady(this.#services), ...surplus.map((service) => service.stop())]);
  }

  /** @returns {Promise<Tenant[]>} so many new ones, each as its admin */
  async newTenants(count) {
    const [{ url }] = this.#of('gateway');
    const made = await Promise.all(Array.from({ length: count }, () => createTenant(this.catalog)));
    return made.map(({ admin }) => new Tenant({ url, apiKey: admin.apiKey }));
  }

  /** Looks into the database. @param {string} sql @param {readonly unknown[]} [params] */
  async rows(sql, params = []) {
    this.looks += 1;
    return (await this.#client.query(sql, [...params])).rows;
  }

  async stop() {
    await Promise.all(this.#services.map((service) => service.stop()));
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** @param {Ground} ground */
  async #open({ dataFolder, queue, store, isWatched = false }) {
    // Engine processes run as users without rights, who have to pass.
    await mkdir(dataFolder, { mode: 0o711 });
    if (queue === 'redis') await this.#openRedis();
    if (store === 's3') await this.#openS3(isWatched);
    this.#balancer = await Balancer.start();
    this.#closers.push(() => this.#balancer.stop());
    this.#variables.QUERY_SERVICE_URL = this.#balancer.url;
    await runMigrations(this.#variables);
    this.#client = new pg.Client({ connectionString: this.databaseUrl });
    this.#closers.push(() => this.#client.end());
    await this.#client.connect();
    /** To make tenants, and jobs. */
    this.catalog = await Catalog.open({ databaseUrl: this.databaseUrl, poolMax: 2, blobGraceMs: 0 });
    this.#closers.push(() => this.catalog.close());
  }

  async #openRedis() {
    const redis = await RedisServer.start();
    this.#closers.push(() => redis.stop());
    this.redis = redis;
    this.#variables.REDIS_URL = redis.url;
  }

  async #openS3(isWatched) {
    const s3 = await startS3();
    this.#closers.push(() => s3.stop());
    if (isWatched) {
      this.s3 = await S3Proxy.start(s3.endpoint);
      this.#closers.push(() => this.s3.stop());
    }
    Object.assign(this.#variables, s3Variables(s3, this.s3?.endpoint));
  }

  /** @param {import('@millrace/testing').AppName} app @returns {ServiceRun[]} */
  #of(app) {
    return this.#services.filter((service) => service.app === app);
  }

  /** @param {readonly ServiceRun[]} services */
  async #untilReady(services) {
    await Promise.all(services.map((service) => service.untilReady(this.#signal)));
  }

  /** @param {import('@millrace/testing').AppName} app */
  #spawn(app) {
    this.#signal.throwIfAborted();
    const service = new ServiceRun({ app, variables: this.#variables });
    this.#services.push(service);
    return service;
  }
}
