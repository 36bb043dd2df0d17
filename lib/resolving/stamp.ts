/**
 * What depends on what. A stamp stands for something that may change: an application of a source, the keys, the
 * definitions. Whoever changes it touches its stamp; whoever keeps an answer remembers the versions it saw before it
 * asked, and the answer holds only as long as they stand.
 */
export class Stamp {
  version = 0;

  touch(): void {
    this.version += 1;
  }
}

/** A stamp and the version that was seen. */
export interface Seen {
  readonly stamp: Stamp;
  readonly version: number;
}

export function see(...stamps: readonly Stamp[]): readonly Seen[] {
  return stamps.map((stamp) => ({ stamp, version: stamp.version }));
}

/** Whether nothing was touched since. */
export function holds(seen: readonly Seen[]): boolean {
  for (const { stamp, version } of seen) if (stamp.version !== version) return false;
  return true;
}

const BUCKETS = 4096;

/**
 * The stamps of the applications of all sources. There is a fixed number of them, because names come from requests:
 * two applications that share one are merely asked for once more than was needed.
 */
export class ApplicationStamps {
  readonly #buckets = Array.from({ length: BUCKETS }, () => new Stamp());

  /** The stamps that an answer about an application, or about any when none is named, depends on. */
  of(source: string, application: string | undefined): readonly Stamp[] {
    return [this.#bucket(source, '*'), this.#bucket(source, application ?? '')];
  }

  /** Something changed in an application; in any, when none is named. */
  touch(source: string, application?: string): void {
    if (application === undefined) this.#bucket(source, '*').touch();
    else for (const name of [application, '']) this.#bucket(source, name).touch();
  }

  #bucket(source: string, application: string): Stamp {
    let hash = 0x811c9dc5;
    for (const character of `${source}\0${application.toLowerCase()}`) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    }
    return this.#buckets[(hash >>> 0) % BUCKETS] as Stamp;
  }
}
