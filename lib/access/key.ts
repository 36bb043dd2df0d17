import { hash, randomBytes } from 'node:crypto';

/** What a key may do: `badges` image and link, `read_api` and `api` definitions, `push` reports, `admin` all of it. */
export const SCOPES = ['badges', 'read_api', 'api', 'push', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** A key as access knows it: by its digest, never by its text. */
export interface Key {
  readonly name: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly digest: string;
  readonly scopes: readonly Scope[];
  /** Names of sources; absent: all. */
  readonly sources?: readonly string[];
  /** Patterns of application names, `*` for any text; absent: all. */
  readonly applications?: readonly string[];
  readonly expiresAt?: Date;
}

/** A new random key of 32 bytes, in letters that every URL takes. Shown once, kept as its digest. */
export function newKeyText(): string {
  return `sbx_${randomBytes(32).toString('base64url')}`;
}

export function digestOf(text: string): string {
  return hash('sha256', text, 'hex');
}
