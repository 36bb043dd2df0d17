import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from './secret.ts';

/** Whether two texts are the same, in constant time whatever their lengths. */
export function sameText(a: string | undefined, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return a !== undefined && timingSafeEqual(digest(a), digest(b));
}

/** Whether a hexadecimal signature, with or without a prefix such as `sha256=`, is the HMAC of a body. */
export function isSignedBy(secret: Secret, body: Buffer, signature: string | undefined, algorithm = 'sha256'): boolean {
  const hex = createHmac(algorithm, secret.reveal()).update(body).digest('hex');
  return sameText(signature?.replace(/^sha\d+=/, '').toLowerCase(), hex);
}
