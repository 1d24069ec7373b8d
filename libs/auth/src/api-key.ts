import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'mr_';
const SECRET_BYTES = 32;

/** `mr_` and 256 random bits in base64url: nothing to look up, nothing to guess. */
const API_KEY = /^mr_[A-Za-z0-9_-]{43}$/;

/** A fresh API key. It is shown once; only its hash is kept. */
export function generateApiKey(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
}

/** Whether a text could be an API key at all: spares the catalog what can't be one. */
export function looksLikeApiKey(text: string): boolean {
  return API_KEY.test(text);
}

/** SHA-256 of a key, 32 bytes. A slow hash would add nothing: the key has 256 random bits. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
