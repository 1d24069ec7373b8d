import { DomainError } from '@millrace/domain';

/**
 * Compares the SHA-256 that bytes have with the one that was promised, both in hexadecimal.
 *
 * @throws DomainError `upload.digest_mismatch`
 */
export function checkHash({ contentHash }: { readonly contentHash: string }, expectedHash: string | undefined): void {
  if (expectedHash === undefined || expectedHash === contentHash) return;
  const digest = (hash: string): string => Buffer.from(hash, 'hex').toString('base64');
  throw new DomainError(
    'upload.digest_mismatch',
    `The bytes that arrived have the SHA-256 ${digest(contentHash)}, not ${digest(expectedHash)}. Send the file again.`,
  );
}
