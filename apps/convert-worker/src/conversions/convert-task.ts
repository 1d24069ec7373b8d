import type { Conversion } from '@millrace/catalog';
import { sourceConfigSchema } from '@millrace/contract';
import type { EngineTask } from '@millrace/engine';

/** What the engine is asked to do with the source of a version, which lies at a local path. */
export function convertTask({ source, sourceConfig, limits }: Conversion, file: string): EngineTask<'convert'> {
  const { format, options, columns } = sourceConfigSchema.parse(sourceConfig);
  const { columnsMax, lineBytesMax, nestingMax, decompressedBytesMax, compressionRatioMax } = limits;
  return {
    kind: 'convert',
    file,
    format,
    contentType: source.contentType ?? undefined,
    contentEncoding: source.contentEncoding ?? undefined,
    fileName: source.fileName ?? undefined,
    options,
    columns,
    limits: { columnsMax, lineBytesMax, nestingMax, decompressedBytesMax, compressionRatioMax },
  };
}
