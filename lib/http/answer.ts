import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Seen } from '../resolving/index.ts';
import { type Drawing, encodingFor } from './drawing.ts';

/** A response as a value: made once, sent as often as it holds. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly drawing?: Drawing;
  readonly life: Life;
}

/** How long an answer may be kept, by us and by caches between us and the reader. */
export interface Life {
  /** Milliseconds since 1970 until which the answer is fresh. */
  readonly freshUntil: number;
  /** Shared caches may keep it: everything that it depends on stands in the address. */
  readonly shared: boolean;
  /** Seconds that the asker wants it kept at least. */
  readonly leastSeconds?: number;
  /** It holds only as long as these stand. */
  readonly seen?: readonly Seen[];
}

/** Nobody may keep the answer. */
export const NOT_KEPT: Life = { freshUntil: 0, shared: false };

/** Sends an answer: its headers, or 304, or its body in the best form that the client takes. */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { drawing } = answer;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.setHeader('Cache-Control', cacheControl(answer.life, Date.now()));
  if (!drawing) {
    response.statusCode = answer.status;
    response.end();
    return;
  }
  const encoding = encodingFor(drawing, request.headers['accept-encoding']);
  response.setHeader('ETag', encoding ? `"${drawing.tag}-${encoding}"` : `"${drawing.tag}"`);
  response.setHeader('Vary', 'Accept-Encoding');
  if (answer.status === 200 && matchesTag(request.headers['if-none-match'], drawing.tag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const body = encoding ? drawing.form(encoding) : drawing.body;
  response.statusCode = answer.status;
  response.setHeader('Content-Type', drawing.type);
  if (encoding) response.setHeader('Content-Encoding', encoding);
  response.setHeader('Content-Length', typeof body === 'string' ? drawing.bytes : body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Whether `If-None-Match` names a drawing, in whichever of its forms. */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
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
export function cacheControl({ freshUntil, shared, leastSeconds = 0 }: Life, now: number): string {
  if (freshUntil === 0) return 'no-store';
  const seconds = Math.max(0, Math.floor((freshUntil - now) / 1000), leastSeconds);
  return `${shared ? 'public' : 'private'}, max-age=${seconds}, stale-while-revalidate=${Math.max(seconds, 5)}, stale-if-error=86400`;
}
