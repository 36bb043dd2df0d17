import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Seen } from '../resolving/index.ts';
import { Drawing, encodingFor } from './drawing.ts';
import { type Head, headOf } from './head.ts';

/** A response as a value: made once, sent as often as it holds. */
export interface Answer {
  readonly status: number;
  readonly head: Head;
  readonly drawing: Drawing | undefined;
  readonly life: Life;
  /** How it was come by, for `Cache-Status`. */
  readonly cache: string;
}

/** How long an answer may be kept, by us and by caches between us and the reader. */
export interface Life {
  /** Milliseconds since 1970 until which the answer is fresh. */
  readonly freshUntil: number;
  /** Shared caches may keep it: everything that it depends on stands in the address. */
  readonly shared: boolean;
  /** Seconds that the asker wants it kept at least. */
  readonly leastSeconds?: number;
  /** Milliseconds since 1970 until which it may be kept, whatever the asker wants: then its key expires. */
  readonly until?: number;
  /** It holds only as long as these stand. */
  readonly seen?: readonly Seen[];
}

/** Nobody may keep the answer. */
export const NOT_KEPT: Life = { freshUntil: 0, shared: false };

const NOT_CACHED = 'signalbox; fwd=bypass';

/** An answer with headers of its own, and with a body where there is a drawing. */
export function toAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  life: Life,
  drawing?: Drawing,
  cache = NOT_CACHED,
): Answer {
  const own = drawing
    ? { ...headers, 'Content-Type': drawing.type, Vary: 'Accept-Encoding' }
    : // Without it the client would wait for a body until the connection ends.
      { ...headers, 'Content-Length': '0' };
  return { status, head: headOf(own), drawing, life, cache };
}

/** What is said to an address that asks too often. */
export function toTooMany(seconds: number): Answer {
  const text = `Too many requests from this address: it may ask again in ${seconds} s\n`;
  const headers = { 'Retry-After': String(seconds) };
  return toAnswer(429, headers, NOT_KEPT, new Drawing('text/plain; charset=utf-8', text));
}

/** What is said of an error that is not ours to explain: that is for the log. */
export function toInternalError(): Answer {
  return toAnswer(500, {}, NOT_KEPT, new Drawing('application/json', '{"message":"internal error"}'));
}

/** Sends an answer: its headers, or 304, or its body in the best form that the client takes and that is ready. */
export function sendAnswer(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  response: ServerResponse,
  { status, head, drawing, life, cache }: Answer,
  requestId: string,
  cacheStatus = cache,
  now = Date.now(),
): void {
  const lines = `Cache-Control: ${cacheControl(life, now)}\r\nCache-Status: ${cacheStatus}\r\nX-Request-Id: ${requestId}\r\n`;
  if (!drawing) {
    head.write(response, status, lines, now);
    response.end();
    return;
  }
  const encoding = encodingFor(drawing, headers['accept-encoding']);
  const known = headers['if-none-match'];
  if (known !== undefined && status === 200 && matchesTag(known, drawing.tag)) {
    // The client's copy keeps the tag of the form that it is in.
    const etag = encoding && known === drawing.etag(encoding) ? known : drawing.etag(undefined);
    head.write(response, 304, `${lines}ETag: ${etag}\r\n`, now);
    response.end();
    return;
  }
  const compressed = encoding && drawing.compressed(encoding);
  if (compressed) {
    const form = `ETag: ${drawing.etag(encoding)}\r\nContent-Length: ${compressed.length}\r\nContent-Encoding: ${encoding}\r\n`;
    head.write(response, status, lines + form, now);
    response.end(method === 'HEAD' ? undefined : compressed);
    return;
  }
  const form = `ETag: ${drawing.etag(undefined)}\r\nContent-Length: ${drawing.bytes}\r\n`;
  head.write(response, status, lines + form, now);
  if (method === 'HEAD') response.end();
  // A text and its head leave in one write.
  else response.end(drawing.body, drawing.isAscii ? 'latin1' : 'utf8');
}

/** Whether `If-None-Match` names a drawing, in whichever of its forms. */
export function matchesTag(header: string, tag: string): boolean {
  if (header.length === tag.length + 2 && header === `"${tag}"`) return true;
  if (header.trim() === '*') return true;
  return header.split(',').some(
    (part) =>
      part
        .trim()
        .replace(/^W\//, '')
        .replace(/-(br|gzip)"$/, '"') === `"${tag}"`,
  );
}

/** `Cache-Control` at a moment: what is left of the answer's life. */
export function cacheControl(life: Life, now: number): string {
  const { freshUntil, shared, leastSeconds = 0, until = Number.POSITIVE_INFINITY } = life;
  if (freshUntil === 0) return 'no-store';
  const least = Math.min(leastSeconds, Math.floor((until - now) / 1000));
  const seconds = Math.max(0, Math.floor((freshUntil - now) / 1000), least);
  return `${shared ? 'public' : 'private'}, max-age=${seconds}, stale-while-revalidate=${Math.max(seconds, 5)}, stale-if-error=86400`;
}
