import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { getCACertificates } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { UpstreamAbsent, UpstreamError, UpstreamLimited, UpstreamRefused } from './errors.ts';
import { parseInSlices } from './json.ts';
import type { Headers } from './options.ts';
import { readInSlices } from './shape.ts';

/** What a request to a backend may say beside its address. */
export interface RequestInit {
  readonly headers?: Headers;
  /** POST for the backends that are asked so; a POST is never repeated. */
  readonly method?: 'GET' | 'POST';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Hang up once the answer holds this text: for streams that never end. */
  readonly until?: string;
  /** Finds the JSON in an answer that is more than that. */
  readonly unwrap?: (text: string) => string;
  /** The most that is read of the answer, where the source does not allow less. */
  readonly maxBytes?: number;
}

/** An answer read as text, for the few backends whose headers are part of it. */
export interface TextAnswer {
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * The way out to one backend. Every call throws UpstreamError (down, slow, huge, broken), UpstreamRefused (401, 403, a
 * sign-in page, a redirect to another host), UpstreamLimited (429) or UpstreamAbsent (404, 410, 422).
 */
export interface Upstream {
  /** The JSON of a 2xx answer, read by `schema`. The event loop turns while a long one is read. */
  json<Schema extends z.ZodType>(url: URL, schema: Schema, init?: RequestInit): Promise<z.output<Schema>>;
  /** As `json`, but `undefined` where the backend says 404: for a thing that may well be missing. */
  find<Schema extends z.ZodType>(url: URL, schema: Schema, init?: RequestInit): Promise<z.output<Schema> | undefined>;
  /**
   * As `json`, for another language: `parse` makes a value of the text, and throws when it cannot. The event loop waits
   * for it, so that by default an answer of more than 64 KiB is an UpstreamError: ask for little.
   */
  parsed<Schema extends z.ZodType>(
    url: URL,
    parse: (text: string) => unknown,
    schema: Schema,
    init?: RequestInit,
  ): Promise<z.output<Schema>>;
  /** The body of a 2xx answer as text, for backends that do not speak JSON. */
  text(url: URL, init?: RequestInit): Promise<TextAnswer>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** How a source may be asked. Times are in milliseconds, sizes in bytes. */
export interface UpstreamSettings {
  /** Only this origin is asked, and only it gets credentials. */
  readonly origin: string;
  readonly userAgent: string;
  /** For one request with its retry and redirects. */
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  /** Requests at once; more wait in line. */
  readonly concurrency?: number;
  /** PEM certificates to trust beside the usual ones. */
  readonly ca?: string;
  /** Trust any certificate. */
  readonly insecure?: boolean;
  /** An http(s) proxy. */
  readonly proxy?: string;
  /** Told of every request when it has ended. */
  readonly onRequest?: (event: UpstreamEvent) => void;
}

export interface UpstreamEvent {
  readonly origin: string;
  /** The HTTP status, or `error` when there was none. */
  readonly status: number | 'error';
  readonly durationMs: number;
}

const DEFAULTS = { timeoutMs: 10_000, maxBytes: 5 * 1024 * 1024, concurrency: 8 };
/** The longest JSON, in characters, that the event loop waits for: 1 to 4 ms, and as long again for the schema. */
const AT_ONCE = 256 * 1024;
/** A parser of XML takes about 5 ms for as much. */
const MOST_OTHER_BYTES = 64 * 1024;
/** A near backend sends megabytes in one turn of the event loop; decoding so many bytes takes 1 ms. */
const DECODED_AT_ONCE = 256 * 1024;
const MOST_REDIRECTS = 3;
const RETRY_PAUSE_MS = 150;
const REMEMBERED_BYTES = 16 * 1024 * 1024;

interface Answer extends TextAnswer {
  readonly status: number;
}

/** The client of one source. Opens nothing, and loads undici, only when first asked. */
export function createUpstream(settings: UpstreamSettings): Upstream {
  const { timeoutMs, maxBytes, concurrency } = { ...DEFAULTS, ...dropAbsent(settings) };
  const { origin } = settings;
  /** Answers with an ETag: a backend that says 304 need not send them again, and often does not count the request. */
  const remembered = new LRUCache<string, { etag: string; text: string }>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ text }, url) => text.length + url.length + 100,
  });
  let transport: Promise<Dispatcher> | undefined;

  async function open(): Promise<Dispatcher> {
    const { Pool, ProxyAgent } = await import('undici');
    const tls = {
      // By itself `ca` would stand in place of the usual certificates.
      ...(settings.ca !== undefined && { ca: [...getCACertificates(), settings.ca] }),
      ...(settings.insecure && { rejectUnauthorized: false }),
    };
    const limits = { connections: concurrency, headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    if (settings.proxy === undefined) return new Pool(origin, { ...limits, connect: { ...tls, timeout: timeoutMs } });
    return new ProxyAgent({
      ...limits,
      uri: settings.proxy,
      requestTls: tls,
      // What is forwarded, and not tunnelled, would otherwise go by no limit.
      factory: (to, options) => new Pool(to, { ...options, ...limits }),
    });
  }

  async function send(url: URL, init: RequestInit, signal: AbortSignal): Promise<Answer> {
    transport ??= open();
    const dispatcher = await transport;
    const known = init.method === 'POST' ? undefined : remembered.get(url.href);
    const startedAt = performance.now();
    let status: number | 'error' = 'error';
    try {
      const response = await dispatcher.request({
        origin,
        path: url.pathname + url.search,
        signal,
        method: init.method ?? 'GET',
        headers: {
          'user-agent': settings.userAgent,
          accept: 'application/json',
          ...(init.body !== undefined && { 'content-type': 'application/json' }),
          ...(known && { 'if-none-match': known.etag }),
          ...init.headers,
        },
        ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
      });
      status = response.statusCode;
      if (status === 304 && known) {
        await response.body.dump();
        return { status: 200, text: known.text, headers: response.headers };
      }
      const text = await readText(response, Math.min(maxBytes, init.maxBytes ?? maxBytes), origin, init.until);
      const { etag } = response.headers;
      if (status === 200 && typeof etag === 'string') remembered.set(url.href, { etag, text });
      return { status, text, headers: response.headers };
    } finally {
      settings.onRequest?.({ origin, status, durationMs: performance.now() - startedAt });
    }
  }

  /** Once more, after a pause, what cannot have done anything: a GET that met a broken connection or a 502, 503, 504. */
  async function sendTwice(url: URL, init: RequestInit, signal: AbortSignal): Promise<Answer> {
    const repeatable = init.method !== 'POST';
    try {
      const answer = await send(url, init, signal);
      if (!repeatable || ![502, 503, 504].includes(answer.status) || answer.headers['retry-after']) return answer;
    } catch (error) {
      if (!repeatable || signal.aborted || error instanceof UpstreamError) throw error;
    }
    await sleep(RETRY_PAUSE_MS, undefined, { signal });
    return send(url, init, signal);
  }

  async function follow(start: URL, init: RequestInit): Promise<Answer> {
    // `AbortSignal.timeout` goes off even when all is done: thousands would wait for that.
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), timeoutMs);
    return followWithin(patience.signal, start, init).finally(() => clearTimeout(timer));
  }

  async function followWithin(signal: AbortSignal, start: URL, init: RequestInit): Promise<Answer> {
    let url = start;
    for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
      if (url.origin !== origin) throw new UpstreamRefused(`${origin} sends us on to ${url.origin}: not followed`);
      const answer = await sendTwice(url, init, signal).catch((error: unknown) => {
        throw toUpstreamError(error, origin, signal, timeoutMs);
      });
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || typeof location !== 'string') return answer;
      if (!URL.canParse(location, url.href))
        throw new UpstreamError(`${origin} redirects to something that is no address`);
      url = new URL(location, url);
    }
    throw new UpstreamError(`${origin} redirects more than ${MOST_REDIRECTS} times`);
  }

  async function text(url: URL, init: RequestInit = {}): Promise<Answer> {
    const answer = await follow(url, init);
    checkStatus(answer, origin);
    return answer;
  }

  async function json<Schema extends z.ZodType>(url: URL, schema: Schema, init: RequestInit = {}) {
    const answer = await text(url, init);
    refuseWebPage(answer, origin);
    const wanted = withoutMark(init.unwrap ? init.unwrap(answer.text) : answer.text);
    if (wanted.length <= AT_ONCE) return shapeOf(schema.safeParse(parseText(wanted, JSON.parse, origin)), origin);
    const value = await parseInSlices(wanted).catch((cause: unknown) => {
      throw unreadable(origin, cause);
    });
    return shapeOf(await readInSlices(schema, value), origin);
  }

  const parsed: Upstream['parsed'] = async (url, parse, schema, init) => {
    const answer = await text(url, { maxBytes: MOST_OTHER_BYTES, ...init });
    refuseWebPage(answer, origin);
    return shapeOf(schema.safeParse(parseText(withoutMark(answer.text), parse, origin)), origin);
  };

  return {
    json,
    parsed,
    text,
    find: (url, schema, init) =>
      json(url, schema, init).catch((error: unknown) => {
        if (error instanceof UpstreamAbsent) return undefined;
        throw error;
      }),
    async close() {
      await (await transport)?.destroy();
    },
  };
}

function dropAbsent<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>;
}

async function readText(
  response: Dispatcher.ResponseData,
  maxBytes: number,
  origin: string,
  until?: string,
): Promise<string> {
  const tooLarge = () => new UpstreamError(`${origin} answered more than ${maxBytes} bytes`);
  const announced = Number(response.headers['content-length']);
  if (announced > maxBytes) {
    response.body.destroy();
    throw tooLarge();
  }
  if (announced <= DECODED_AT_ONCE && until === undefined) return response.body.text();
  const decoder = new StringDecoder('utf8');
  let text = '';
  let tail = '';
  let bytes = 0;
  let turnAt = DECODED_AT_ONCE;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    const piece = decoder.write(chunk);
    text += piece;
    if (bytes > turnAt) {
      await turn();
      turnAt = bytes + DECODED_AT_ONCE;
    }
    if (until === undefined) continue;
    tail = tail.slice(-until.length) + piece;
    if (tail.includes(until)) break; // leaving the loop closes the connection
  }
  return text + decoder.end();
}

function refuseWebPage({ headers }: Answer, origin: string): void {
  if (/^text\/html\b/i.test(String(headers['content-type'] ?? ''))) {
    throw new UpstreamRefused(`${origin} answered a web page where data was wanted: is a sign-in in the way?`);
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function parseText(text: string, parse: (text: string) => unknown, origin: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw unreadable(origin, cause);
  }
}

function unreadable(origin: string, cause: unknown): UpstreamError {
  return new UpstreamError(`${origin} answered something that cannot be read`, { cause });
}

function shapeOf<Value>(result: z.ZodSafeParseResult<Value>, origin: string): Value {
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new UpstreamError(
    `${origin} answered data of another shape: ${issue?.path.join('.') || 'root'}: ${issue?.message}`,
  );
}

function checkStatus({ status, headers }: Answer, origin: string): void {
  if (status >= 200 && status <= 299) return;
  // GitHub says 403 with `x-ratelimit-remaining: 0` for a used-up quota.
  if (status === 429 || (status === 403 && headers['x-ratelimit-remaining'] === '0')) {
    throw new UpstreamLimited(`${origin} asks us to slow down`, retryAt(headers));
  }
  if (status === 503 && headers['retry-after']) {
    throw new UpstreamLimited(`${origin} is busy`, retryAt(headers));
  }
  if (status === 401 || status === 403 || status === 407) {
    throw new UpstreamRefused(`${origin} refused us with ${status}: check the credentials of the source`);
  }
  // GitHub says 422 of a ref or commit that it does not have.
  if (status === 404 || status === 410 || status === 422)
    throw new UpstreamAbsent(`${origin} has no such thing, or hides it`);
  throw new UpstreamError(`${origin} answered ${status}`);
}

/** `Retry-After` in seconds or as a date, else the reset time in the two spellings that are in use. */
function retryAt(headers: Answer['headers']): Date | undefined {
  const after = String(headers['retry-after'] ?? '');
  if (/^\d+$/.test(after)) return toInstant(Date.now() + Number(after) * 1000);
  if (!Number.isNaN(Date.parse(after))) return new Date(after);
  const reset = Number(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']);
  return toInstant(reset > 1e9 ? reset * 1000 : Date.now() + reset * 1000);
}

/** `undefined` for what is no number, or beyond what a date can hold. */
function toInstant(ms: number): Date | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function toUpstreamError(error: unknown, origin: string, signal: AbortSignal, timeoutMs: number): Error {
  if (error instanceof UpstreamError) return error;
  if (signal.aborted) return new UpstreamError(`${origin} did not answer within ${timeoutMs} ms`, { cause: error });
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return new UpstreamError(`${origin} cannot be reached${code}`, { cause: error });
}
