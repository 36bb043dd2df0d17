import { z } from 'zod';
import { Secret } from './secret.ts';

/** Headers of a request to a backend. */
export type Headers = Readonly<Record<string, string>>;

/** An http(s) address, without credentials, query or fragment; a slash at its end is dropped. */
export function httpUrl() {
  return z
    .url({ protocol: /^https?$/, error: 'must be an address that starts with http:// or https://' })
    .refine((text) => URL.canParse(text) && !new URL(text).username && !new URL(text).password, {
      error: 'must not hold a user name or password: give them as options of their own',
    })
    .refine((text) => !/[?#]/.test(text), { error: 'must not hold a query or a fragment' })
    .transform((text) => text.replace(/\/+$/, ''));
}

/** A text that must not be shown; write it as `{ env: NAME }` or `{ file: path }` to keep it out of the file. */
export function secret() {
  return z
    .union([z.string().trim().min(1, 'must not be empty'), z.instanceof(Secret)], { error: 'must be a text' })
    .transform((value) => (value instanceof Secret ? value : new Secret(value)));
}

/** `Authorization: Bearer …`, or nothing without a token. */
export function bearer(token: Secret | undefined): Headers {
  return token ? { authorization: `Bearer ${token.reveal()}` } : {};
}

/** `Authorization: Basic …`, or nothing without a user and without a password. */
export function basic(user: string | undefined, password: Secret | undefined): Headers {
  if (user === undefined && !password) return {};
  return { authorization: `Basic ${Buffer.from(`${user ?? ''}:${password?.reveal() ?? ''}`).toString('base64')}` };
}

/** A header that carries a token as it stands, or nothing without one. */
export function tokenHeader(name: string, token: Secret | undefined, scheme = ''): Headers {
  return token ? { [name]: `${scheme}${token.reveal()}` } : {};
}
