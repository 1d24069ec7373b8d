import { creation } from './creation.mjs';
import { latency } from './latency.mjs';
import { memory } from './memory.mjs';
import { persistence } from './persistence.mjs';
import { results } from './results.mjs';
import { scale } from './scale.mjs';
import { throughput } from './throughput.mjs';
import { upload } from './upload.mjs';

/**
 * @typedef {object} Measurement
 * @property {string} name for `--only`
 * @property {string} about
 * @property {boolean} [hasOwnServer] it works on another server than the rest
 * @property {(bench: import('../harness/bench.mjs').Bench) => AsyncIterable<import('../report.mjs').Line>} measure
 */

/** In the order in which they run. @type {readonly Measurement[]} */
export const MEASUREMENTS = [upload, creation, latency, throughput, results, persistence, memory, scale];
