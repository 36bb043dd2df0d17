import { LRUCache } from 'lru-cache';
import { EVERYWHERE } from './headers.ts';

/** What differs from one answer with the same head to the next. */
export interface Differing {
  readonly cacheControl: string;
  readonly cacheStatus: string;
  readonly requestId: string;
  /** Absent where there is no body. */
  readonly etag?: string | undefined;
  /** Bytes of the body; absent for a 304. */
  readonly length?: number | undefined;
  readonly encoding?: string | undefined;
}

/**
 * The headers that many answers have in common, laid out once as `writeHead` takes them: names and values in turn, with
 * room behind them for what differs.
 */
export class Head {
  readonly #own: Readonly<Record<string, string>>;
  readonly #fixed: readonly string[];
  /** By how many differing headers they have: a redirect, a 304, a body, a compressed body. */
  readonly #lists: Record<number, string[]> = {};

  constructor(own: Readonly<Record<string, string>>) {
    this.#own = own;
    this.#fixed = [...EVERYWHERE, ...Object.entries(own).flat()];
  }

  get(name: string): string | undefined {
    return this.#own[name];
  }

  /** All headers of one answer. The list is the head's own and filled in anew by the next call: it is to be used at once. */
  list({ cacheControl, cacheStatus, requestId, etag, length, encoding }: Differing): string[] {
    const count = etag === undefined ? 3 : length === undefined ? 4 : encoding === undefined ? 5 : 6;
    let list = this.#lists[count];
    if (!list) {
      list = [...this.#fixed, ...DIFFERING.slice(0, count).flatMap((name) => [name, ''])];
      this.#lists[count] = list;
    }
    const at = this.#fixed.length;
    list[at + 1] = cacheControl;
    list[at + 3] = cacheStatus;
    list[at + 5] = requestId;
    if (etag !== undefined) list[at + 7] = etag;
    if (count > 4) list[at + 9] = String(length);
    if (encoding !== undefined && count > 5) list[at + 11] = encoding;
    return list;
  }
}

const DIFFERING = ['Cache-Control', 'Cache-Status', 'X-Request-Id', 'ETag', 'Content-Length', 'Content-Encoding'];

/** Heads by what they say: there is one for each state and kind of answer, not one for each badge. */
const heads = new LRUCache<string, Head>({ max: 5_000 });

/** The head with these headers of its own beside those that every answer has. */
export function headOf(own: Readonly<Record<string, string>>): Head {
  let identity = '';
  for (const name in own) identity += `${name}\n${own[name]}\n`;
  let head = heads.get(identity);
  if (!head) {
    head = new Head(own);
    heads.set(identity, head);
  }
  return head;
}
