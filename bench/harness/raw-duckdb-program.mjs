// DuckDB without anything around it, as a program that does what its parent asks over the channel of `fork`.
import { DuckDBInstance } from '@duckdb/node-api';

const instance = await DuckDBInstance.create(':memory:', { threads: process.argv[2] ?? '2' });
const connection = await instance.connect();

/** Whether rows are asked for or not, the time is that of this process: the channel does not count. */
const operations = {
  run: async ({ sql }) => {
    await connection.run(sql);
  },
  /** Rows as JSON text, as an answer has them. */
  rows: async ({ sql, params }) => {
    const reader = await connection.runAndReadAll(sql, params);
    return Buffer.byteLength(JSON.stringify(reader.getRowsJson()));
  },
  /** Reads all chunks, and leaves them as they are. */
  chunks: async ({ sql }) => {
    const result = await connection.stream(sql);
    let rowCount = 0;
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      rowCount += chunk.rowCount;
    }
    return rowCount;
  },
  /** How many statements so many clients get through in a time. */
  load: async ({ sql, params, clients, durationMs }) => {
    const until = performance.now() + durationMs;
    let count = 0;
    const client = async () => {
      const own = await instance.connect();
      for (; performance.now() < until; count += 1) {
        const reader = await own.runAndReadAll(sql, params);
        JSON.stringify(reader.getRowsJson());
      }
      own.closeSync();
    };
    await Promise.all(Array.from({ length: clients }, client));
    return count;
  },
};

/** Answers with the time it took. */
async function serve({ operation, ...request }) {
  const startedAt = performance.now();
  try {
    const value = await operations[operation](request);
    process.send?.({ ms: performance.now() - startedAt, value });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
}

process.on('message', (request) => void serve(request));
process.once('disconnect', () => process.exit());
process.send?.({ ready: true });
