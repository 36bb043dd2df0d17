import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { holds } from '../resolving/index.ts';
import { type Answer, cacheControl, matchesTag } from './answer.ts';
import { type Drawing, type Encoding, encodingFor } from './drawing.ts';

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
  /** The whole list of one second for one form; its last value is the request's own id. */
  ready: { readonly list: string[]; readonly form: Form; readonly until: number } | undefined;
}

/** What is sent of a drawing: its text, its text compressed, or nothing because the client has it. */
type Form = Encoding | 'text' | 'known';

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

  /** The headers for a request now. They are made once a second; only the request's id is always another. */
  function headersOf(found: Kept, drawing: Drawing, form: Form, tag: string): string[] {
    const time = now();
    if (!found.ready || found.ready.form !== form || time >= found.ready.until) {
      const list = [...found.headers, 'Cache-Control', cacheControl(found.answer.life, time), 'ETag', tag];
      if (form === 'text') list.push('Content-Length', String(drawing.bytes));
      else if (form !== 'known')
        list.push('Content-Encoding', form, 'Content-Length', String(drawing.form(form).length));
      list.push('X-Request-Id', '');
      found.ready = { list, form, until: time + 1_000 };
    }
    const { list } = found.ready;
    list[list.length - 1] = nextRequestId();
    return list;
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
      const isKnown = matchesTag(headers['if-none-match'], drawing.tag);
      const tag = encoding ? `"${drawing.tag}-${encoding}"` : `"${drawing.tag}"`;
      response.writeHead(
        isKnown ? 304 : found.answer.status,
        headersOf(found, drawing, isKnown ? 'known' : (encoding ?? 'text'), tag),
      );
      if (isKnown || method === 'HEAD') response.end();
      else if (encoding) response.end(drawing.form(encoding));
      // A text and its head leave in one write.
      else response.end(drawing.body, drawing.isLatin1 ? 'latin1' : 'utf8');
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
      kept.set(url, { answer, headers: shared(list), ready: undefined });
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
