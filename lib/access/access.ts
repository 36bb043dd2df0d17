import { Stamp } from '../resolving/index.ts';
import { toMatcher } from '../sources/index.ts';
import { digestOf, type Key, type Scope } from './key.ts';

/** What the bearer of a key, or a passer-by, may see. */
export interface Grant {
  /** The key's name; absent for a passer-by. */
  readonly key?: string;
  readonly scopes: readonly Scope[];
  /** When the key expires, in milliseconds since 1970. */
  readonly until: number;
  mayAsk(source: string): boolean;
  mayShow(application: string | undefined): boolean;
}

/** Which passers-by may see: everything, nothing, or the named sources. */
export type Anonymous = boolean | readonly string[];

export interface Access {
  /** What a key text allows; `undefined` for an unknown or expired key, or none where passers-by see nothing. */
  grantOf(keyText: string | undefined): Grant | undefined;
  /** Whether the text is that of a key that worked once and has expired. */
  hasExpired(keyText: string): boolean;
  /** As `grantOf`, and the key has the scope. Passers-by have none but `badges`. */
  authorize(keyText: string | undefined, scope: Scope): Grant | undefined;
  /** Takes another set of keys. */
  replace(keys: readonly Key[]): void;
  /** Is touched whenever the keys change. */
  readonly stamp: Stamp;
}

export function createAccess(keys: readonly Key[], anonymous: Anonymous, now: () => number = Date.now): Access {
  const stamp = new Stamp();
  const passerBy = toPasserBy(anonymous);
  let known = toKnown(keys);

  function grantOf(keyText: string | undefined): Grant | undefined {
    if (keyText === undefined) return passerBy;
    // How long a look-up takes tells of the digest at most, and from that nobody learns the text.
    const grant = known.get(digestOf(keyText));
    return grant && now() < grant.until ? grant : undefined;
  }

  return {
    grantOf,
    stamp,
    hasExpired: (keyText) => now() >= (known.get(digestOf(keyText))?.until ?? Number.POSITIVE_INFINITY),
    authorize(keyText, scope) {
      const grant = grantOf(keyText);
      return grant && allows(grant.scopes, scope) ? grant : undefined;
    },
    replace(next) {
      known = toKnown(next);
      stamp.touch();
    },
  };
}

/** Whether one of the scopes gives what is wanted: `api` holds `read_api`, `admin` holds everything. */
export function allows(scopes: readonly Scope[], wanted: Scope): boolean {
  return scopes.includes(wanted) || scopes.includes('admin') || (wanted === 'read_api' && scopes.includes('api'));
}

/** By digest: the texts are kept nowhere. */
function toKnown(keys: readonly Key[]): ReadonlyMap<string, Grant> {
  return new Map(keys.map((key) => [key.digest, toGrant(key)]));
}

function toGrant({ name, scopes, sources, applications, expiresAt }: Key): Grant {
  const matches = applications && toMatcher(applications);
  return {
    key: name,
    scopes,
    until: expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    mayAsk: (source) => sources?.includes(source) ?? true,
    mayShow: (application) => matches?.(application ?? '') ?? true,
  };
}

function toPasserBy(anonymous: Anonymous): Grant | undefined {
  if (anonymous === false) return undefined;
  return {
    scopes: ['badges'],
    until: Number.POSITIVE_INFINITY,
    mayAsk: (source) => anonymous === true || anonymous.includes(source),
    mayShow: () => true,
  };
}
