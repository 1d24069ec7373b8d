/**
 * s3rver in a process of its own: its faults stay there, and Node's legacy ciphers, which it needs for the pages of
 * listings, are switched on for it alone. Ends with its parent.
 */
import S3rver from 's3rver';
import { BucketFiles } from './bucket-files.js';
import { missingOperations } from './missing-operations.js';
import { verifySignature } from './verify-signature.js';

const [folder = '', bucket = ''] = process.argv.slice(2);

const files = new BucketFiles(folder);
await files.putBucket(bucket);
const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: folder, vhostBuckets: false });
server.store = files;
server.context.store = files;
// Before its router, behind what turns objects into XML.
server.middleware.splice(-1, 0, verifySignature, missingOperations(files));
const { port } = await server.run();
process.send?.({ port });
process.on('disconnect', () => process.exit());
