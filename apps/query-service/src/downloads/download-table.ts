import type { Column, TenantId } from '@millrace/domain';
import type { InputFile } from '../inputs/input-files.js';

/** A stored table that somebody may read, as it is sent. */
export interface DownloadTable {
  readonly tenantId: TenantId;
  /** What a file of it is called. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** In the order of their rows. */
  readonly files: readonly InputFile[];
}
