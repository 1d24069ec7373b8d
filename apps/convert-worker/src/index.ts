export { startConvertWorker, type ConvertWorker, type ConvertWorkerOptions } from './start-convert-worker.js';
