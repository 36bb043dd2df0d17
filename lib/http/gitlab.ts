import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { type Access, allows, type Grant, type Scope } from '../access/index.ts';
import { BadRequest } from '../providers/index.ts';
import { isOrphaned, type Paging } from '../storage/index.ts';
import { bodyOf, keyOf, queryArguments } from './arguments.ts';
import { refuseOthers } from './methods.ts';

/** An answer in GitLab's words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: object;

  constructor(status: number, body: object) {
    super(`${status}`);
    this.status = status;
    this.body = body;
  }
}

export const notFound = (what = 'Not found') => new Refusal(404, { message: `404 ${what}` });
export const invalid = (messages: Readonly<Record<string, readonly string[]>>) =>
  new Refusal(400, { message: messages });

/** Whoever calls: what the token allows, or nothing for a passer-by. */
export interface Caller {
  readonly grant: Grant | undefined;
  /** May see private projects and groups. */
  mayRead(fullPath: string): boolean;
}

/**
 * Who calls.
 * @throws Refusal 401 for a token that is unknown or expired, 403 for one without a scope for this API
 */
export function callerOf(request: Request, access: Access, params: Params): Caller {
  const token = tokenOf(request, params);
  if (token === undefined) return { grant: undefined, mayRead: () => false };
  const grant = access.grantOf(token);
  if (!grant) {
    if (!access.hasExpired(token)) throw unauthorized();
    const description = 'Token is expired. You can either do re-authorization or token refresh.';
    throw new Refusal(401, { error: 'invalid_token', error_description: description });
  }
  const wanted: Scope = ['GET', 'HEAD'].includes(request.method) ? 'read_api' : 'api';
  if (!allows(grant.scopes, wanted)) {
    throw new Refusal(403, {
      error: 'insufficient_scope',
      error_description: 'The request requires higher privileges than provided by the access token.',
      scope: wanted === 'api' ? 'api' : 'api read_api',
    });
  }
  return { grant, mayRead: (fullPath) => grant.mayShow(fullPath) };
}

/** @throws Refusal 401 for a passer-by */
export function signedIn({ grant }: Caller): Grant {
  if (!grant) throw unauthorized();
  return grant;
}

const unauthorized = () => new Refusal(401, { message: '401 Unauthorized' });

/** `private_token` counts before the header, as in GitLab. */
function tokenOf(request: Request, params: Params): string | undefined {
  const given = params.get('private_token') ?? params.get('access_token');
  if (typeof given === 'string' && given !== '') return given;
  return request.get('private-token') || keyOf(request.headers, queryArguments(request.originalUrl)).text;
}

/** Parameters by name, from the query, a form or a JSON body: texts, or whatever JSON holds. */
export type Params = ReadonlyMap<string, unknown>;

/** @throws Refusal 400 for a body that cannot be read */
export function paramsOf(request: Request): Params {
  try {
    const body = bodyOf(request);
    const inBody = body.kind === 'form' ? body.pairs : body.kind === 'json' ? entriesOf(body.value) : [];
    return new Map<string, unknown>([...queryArguments(request.originalUrl), ...inBody]);
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    throw new Refusal(400, { error: error.message });
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new BadRequest('the body must be a JSON object');
}

/**
 * The texts of parameters, of those that were sent; `null` for null.
 * @throws Refusal 400 for a list or an object
 */
export function textsOf<Name extends string>(
  params: Params,
  names: readonly Name[],
): Partial<Record<Name, string | null>> {
  const texts: Partial<Record<Name, string | null>> = {};
  for (const name of names) {
    const value = params.get(name);
    if (value === undefined) continue;
    if (typeof value === 'object' && value !== null) throw new Refusal(400, { error: `${name} is invalid` });
    texts[name] = value === null ? null : String(value).replaceAll('\0', '');
  }
  return texts;
}

/** @throws Refusal 400 that names those that were not sent */
export function demand(params: Params, names: readonly string[]): void {
  const missing = names.filter((name) => !params.has(name));
  if (missing.length > 0) throw new Refusal(400, { error: missing.map((name) => `${name} is missing`).join(', ') });
}

const MOST_PER_PAGE = 100;
const LAST_PAGE = 1_000_000;

/** @throws Refusal 400 in GitLab's words */
export function pagingOf(params: Params): Paging {
  const page = wholeNumber(params, 'page', 1);
  const perPage = wholeNumber(params, 'per_page', 20);
  if (perPage === 0) throw new Refusal(400, { error: 'per_page has a value not allowed' });
  return {
    page: Math.min(Math.max(page, 1), LAST_PAGE),
    perPage: perPage < 0 ? 20 : Math.min(perPage, MOST_PER_PAGE),
  };
}

function wholeNumber(params: Params, name: string, standard: number): number {
  const value = params.get(name);
  if (value === undefined || value === '' || value === null) return standard;
  if (!/^[+-]?\d{1,15}$/.test(String(value))) throw new Refusal(400, { error: `${name} is invalid` });
  return Number(value);
}

/** A numeric id in the path; `undefined` for anything else. */
export function idOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** GitLab's headers of a list. `address` is that of the list as the server's own configuration has it. */
export function setPaging(
  response: Response,
  address: string,
  request: Request,
  params: Params,
  { page, perPage }: Paging,
  total: number,
): void {
  const pages = Math.max(1, Math.ceil(total / perPage));
  const shown = [...params].filter(([name]) => !SECRET_PARAMS.includes(name.toLowerCase()));
  const link = (to: number, rel: string) => {
    const query = new Map<string, unknown>([
      ...shown,
      ...Object.entries(request.params),
      ['page', to],
      ['per_page', perPage],
    ]);
    const sorted = [...query].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = new URLSearchParams(sorted.map(([name, value]): [string, string] => [name, String(value)]));
    return `<${address}?${text}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev')] : []),
    ...(page < pages ? [link(page + 1, 'next')] : []),
    link(1, 'first'),
    link(pages, 'last'),
  ];
  response.set({
    'X-Per-Page': String(perPage),
    'X-Page': String(page),
    'X-Next-Page': page < pages ? String(page + 1) : '',
    'X-Prev-Page': page > 1 ? String(page - 1) : '',
    'X-Total': String(total),
    'X-Total-Pages': String(pages),
    Link: links.join(', '),
  });
}

const SECRET_PARAMS = ['private_token', 'access_token', 'key', 'api_key'];

/** Refuses, in GitLab's words, any method but these. */
export function onlyMethods(...methods: readonly string[]): RequestHandler {
  return refuseOthers(methods, (_method, _allow, response) => sendJson(response, 405, { error: '405 Not Allowed' }));
}

/** GitLab has it in every answer of its API. */
export const gitlabHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('X-Frame-Options', 'SAMEORIGIN');
  next();
};

/** JSON without a charset: clients compare the type for equality. */
export function sendJson(response: Response, status: number, value: unknown): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Cache-Control', 'max-age=0, private, must-revalidate');
  const text = JSON.stringify(value);
  // A text of single bytes need not be encoded.
  response.end(text, Buffer.byteLength(text) === text.length ? 'latin1' : 'utf8');
}

/** Errors below `/api/v4` in GitLab's words; others go on. */
export const gitlabErrors: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (error instanceof Refusal) sendJson(response, error.status, error.body);
  else if (isOrphaned(error)) sendJson(response, 404, notFound().body);
  else if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400)) {
    sendJson(response, 400, { error: 'the path cannot be read: a percent sign must start an escape' });
  } else next(error);
};
