import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { holds } from '../resolving/index.ts';
import { type Answer, cacheControl, matchesTag } from './answer.ts';
import { encodingFor } from './drawing.ts';

/** Answers that were given and still hold: sent again before Express sees the request. */
export interface Warm {
  /** Sends the answer if one is kept and holds; says whether it did. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
  /** Keeps an answer that was just given to a request, if others may have it. */
  keep(request: IncomingMessage, response: ServerResponse, answer: Answer): void;
  /** How many there are, and how many requests were answered from them. */
  readonly size: number;
  readonly hits: number;
}

export interface WarmSettings {
  /** What the kept answers may take, in bytes. */
  readonly maxBytes: number;
  readonly nextRequestId: () => string;
  /** Told of some of the hits: every hundredth. */
  readonly onSample: (request: IncomingMessage, status: number) => void;
  readonly now?: () => number;
}

interface Kept {
  readonly answer: Answer;
  /** Names and values in turn, as `writeHead` takes them; shared by all answers that have the same. */
  readonly headers: readonly string[];
  /** The `Cache-Control` of one second. */
  control: string;
  controlUntil: number;
}

/** One in so many hits is told to the log. */
export const SAMPLED = 100;
const LONGEST_URL = 2_048;
/** A kept answer without its URL and body. */
const RECORD_BYTES = 700;
/** Differ from request to request, or are made anew. */
const OWN_HEADERS = [
  'x-request-id',
  'cache-control',
  'etag',
  'content-encoding',
  'content-length',
  'cache-status',
  'date',
];

export function createWarm({ maxBytes, nextRequestId, onSample, now = Date.now }: WarmSettings): Warm {
  const kept = new LRUCache<string, Kept>({
    maxSize: maxBytes,
    sizeCalculation: ({ answer }, url) => RECORD_BYTES + url.length + (answer.drawing?.body.length ?? 0),
  });
  /** Header lists that many answers share: one for each state and kind of answer, not one for each badge. */
  const lists = new LRUCache<string, readonly string[]>({ max: 10_000 });
  let hits = 0;

  function find(url: string): Kept | undefined {
    const found = kept.get(url);
    if (!found) return undefined;
    const { freshUntil, seen = [] } = found.answer.life;
    if (now() < freshUntil && holds(seen)) return found;
    kept.delete(url);
    return undefined;
  }

  function controlOf(found: Kept): string {
    const time = now();
    if (time >= found.controlUntil) {
      found.control = cacheControl(found.answer.life, time);
      found.controlUntil = time + 1_000;
    }
    return found.control;
  }

  return {
    get size() {
      return kept.size;
    },
    get hits() {
      return hits;
    },

    serve(request, response) {
      const { method, url = '', headers } = request;
      if ((method !== 'GET' && method !== 'HEAD') || isPrivate(headers)) return false;
      const found = find(url);
      const drawing = found?.answer.drawing;
      if (!found || !drawing) return false;
      hits += 1;
      const encoding = encodingFor(drawing, headers['accept-encoding']);
      const tag = encoding ? `"${drawing.tag}-${encoding}"` : `"${drawing.tag}"`;
      const list = [...found.headers, 'Cache-Control', controlOf(found), 'ETag', tag, 'X-Request-Id', nextRequestId()];
      const isKnown = matchesTag(headers['if-none-match'], drawing.tag);
      if (isKnown) {
        response.writeHead(304, list).end();
      } else {
        const body = encoding ? drawing.form(encoding) : drawing.body;
        if (encoding) list.push('Content-Encoding', encoding);
        list.push('Content-Length', String(encoding ? body.length : drawing.bytes));
        response.writeHead(found.answer.status, list);
        if (method === 'HEAD') response.end();
        else if (typeof body === 'string') response.end(body, drawing.bytes === body.length ? 'latin1' : 'utf8');
        else response.end(body);
      }
      if (hits % SAMPLED === 0) onSample(request, response.statusCode);
      return true;
    },

    keep(request, response, answer) {
      const { method, url = '', headers } = request;
      const { life, drawing, status } = answer;
      const usable = drawing && status === 200 && life.shared && life.seen && now() < life.freshUntil;
      if (!usable || method !== 'GET' || isPrivate(headers) || url.length > LONGEST_URL) return;
      const list = Object.entries({ ...response.getHeaders(), 'content-type': drawing.type })
        .filter(([name]) => !OWN_HEADERS.includes(name))
        .flatMap(([name, value]) => [name, String(value)]);
      list.push('Cache-Status', 'signalbox; hit; detail=warm');
      kept.set(url, { answer, headers: shared(list), control: '', controlUntil: 0 });
    },
  };

  function shared(list: readonly string[]): readonly string[] {
    const identity = list.join('\0');
    const same = lists.get(identity);
    if (same) return same;
    lists.set(identity, list);
    return list;
  }
}

/** A key in a header is no part of the address that answers are kept by. */
function isPrivate(headers: IncomingMessage['headers']): boolean {
  return (
    headers['x-apikey'] !== undefined || headers.authorization !== undefined || headers['private-token'] !== undefined
  );
}
