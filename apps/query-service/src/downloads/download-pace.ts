import type { Environment } from '@millrace/config';
import type { ReaderPaceLimits } from '@millrace/engine';

/** How slow the client of a download may be. */
export function downloadPace(
  environment: Pick<Environment, 'DOWNLOAD_IDLE_MAX_MS' | 'DOWNLOAD_BYTES_PER_SECOND_MIN'>,
): ReaderPaceLimits {
  const { DOWNLOAD_IDLE_MAX_MS: idleMaxMs, DOWNLOAD_BYTES_PER_SECOND_MIN: bytesPerSecondMin } = environment;
  return { idleMaxMs, bytesPerSecondMin };
}
