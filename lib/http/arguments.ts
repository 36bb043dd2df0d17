import type { IncomingHttpHeaders } from 'node:http';
import express, { type Request, type RequestHandler } from 'express';
import type { Argument } from '../builds/index.ts';
import { BadRequest } from '../providers/index.ts';

const readBytes = express.raw({ type: () => true, limit: '256kb' });

/** Reads a body as it came; `bodyOf` makes sense of it, or says what was wrong with it. */
export const readBody: RequestHandler = (request, response, next) => {
  readBytes(request, response, (error?: unknown) => {
    if (error) request.body = new BadRequest('the body cannot be read: 256 kB, unbroken, are the most that is taken');
    next();
  });
};

/** A request's body: the pairs of a form, the value of a JSON text, or nothing. */
export type Body =
  | { readonly kind: 'form'; readonly pairs: readonly Argument[] }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'none' };

/**
 * @throws BadRequest for a body that is broken, too large, or of a kind that is not read
 */
export function bodyOf(request: Pick<Request, 'body' | 'headers'>): Body {
  const bytes: unknown = request.body;
  if (bytes instanceof BadRequest) throw bytes;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return { kind: 'none' };
  const text = bytes.toString('utf8');
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json' || type.endsWith('+json')) return { kind: 'json', value: parseJson(text) };
  if (type === 'application/x-www-form-urlencoded' || type === '') {
    return { kind: 'form', pairs: [...new URLSearchParams(text)] };
  }
  throw new BadRequest(`a body of type \`${type}\` is not read here: send application/json or a form`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest('the body is no JSON, although its Content-Type says so');
  }
}

/** The arguments of the query string alone, as they were sent: Express would fold and nest them. */
export function queryArguments(url: string): readonly Argument[] {
  const start = url.indexOf('?');
  if (start < 0) return [];
  const text = url.slice(start);
  return ENCODED.test(text) ? [...new URLSearchParams(text)] : plainArguments(text.slice(1));
}

const ENCODED = /[%+]/;

/** Where nothing is encoded there is nothing to do but to split: most badges are asked for so. */
function plainArguments(text: string): Argument[] {
  const args: Argument[] = [];
  for (const pair of text.split('&')) {
    const split = pair.indexOf('=');
    if (pair !== '') args.push(split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)]);
  }
  return args;
}

/** The arguments of a form, or those at the root of a JSON body that are no lists or objects. */
export function argumentsOfBody(request: Request): readonly Argument[] {
  const body = bodyOf(request);
  if (body.kind === 'form') return body.pairs;
  if (body.kind === 'none' || typeof body.value !== 'object' || body.value === null) return [];
  return Object.entries(body.value)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => [name, String(value)] as const);
}

/** A key and where it came from: one in the address is part of what a shared cache goes by, others are not. */
export interface CarriedKey {
  readonly text: string | undefined;
  readonly inAddress: boolean;
}

const KEY_NAMES = ['key', 'api_key'];
const LONGEST_KEY_NAME = 7;

/**
 * The API key at every place where BuildMaster takes one: `key` or `API_Key` in the query, a form or a JSON body (without
 * regard to case), the header `X-ApiKey`, and Basic authentication as `api:KEY`; and `Authorization: Bearer`.
 */
export function keyOf(
  { 'x-apikey': header, authorization }: IncomingHttpHeaders,
  query: readonly Argument[],
  body: readonly Argument[] = [],
): CarriedKey {
  const inAddress = query.find(isKey);
  if (inAddress) return { text: inAddress[1], inAddress: true };
  const text = (typeof header === 'string' && header) || keyOfAuthorization(authorization) || body.find(isKey)?.[1];
  return { text, inAddress: false };
}

function isKey([name, value]: Argument): boolean {
  return name.length <= LONGEST_KEY_NAME && value !== '' && KEY_NAMES.includes(name.toLowerCase());
}

function keyOfAuthorization(authorization = ''): string | undefined {
  const [scheme = '', value = ''] = authorization.split(/\s+/, 2);
  if (scheme.toLowerCase() === 'bearer') return value || undefined;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const [user, ...password] = Buffer.from(value, 'base64').toString('utf8').split(':');
  return user === 'api' ? password.join(':') : undefined;
}
