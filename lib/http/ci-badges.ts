import type { IncomingHttpHeaders } from 'node:http';
import express, { type Request, type Response, type Router } from 'express';
import type { Access, Grant } from '../access/index.ts';
import {
  type Badge,
  type Logos,
  PLAIN,
  type Presentation,
  parsePresentation,
  renderEndpoint,
  renderJson,
  renderSvg,
  toBadge,
} from '../badges/index.ts';
import { type Argument, PAGES, pageOf, parseQuery, QueryError } from '../builds/index.ts';
import { BadRequest, type Reason } from '../providers/index.ts';
import { type Resolution, type Resolver, type Seen, see } from '../resolving/index.ts';
import type { Routing } from '../sources/index.ts';
import { type Answer, type Life, NOT_KEPT, sendAnswer, toAnswer } from './answer.ts';
import { argumentsOfBody, type CarriedKey, keyOf, queryArguments, readBody } from './arguments.ts';
import { Drawing, type Drawings } from './drawing.ts';
import { allowOnly } from './methods.ts';

/** What the badge and link of a build are made with. */
export interface BadgeParts {
  readonly access: Access;
  readonly routing: Routing;
  readonly resolver: Resolver;
  readonly drawings: Drawings;
  readonly logos: Logos;
}

/** A request for a badge or a link, wherever its arguments came from. */
export interface Ask {
  readonly args: readonly Argument[];
  readonly key: CarriedKey;
  /** The body could not be read. The key may stand elsewhere, and an image is answered all the same. */
  readonly problem?: BadRequest;
}

/** Answers at once where the execution is fresh in the cache. */
export interface CiBadges {
  image(ask: Ask): Answer | Promise<Answer>;
  link(ask: Ask): Answer | Promise<Answer>;
}

/** BuildMaster's CI badge API: `/api/ci-badges/image` and `/api/ci-badges/link`, with arguments in the body too. */
export function ciBadgesRouter(badges: CiBadges): Router {
  const router = express.Router();
  const serve = (answerTo: CiBadges['image']) => async (request: Request, response: Response) => {
    sendAnswer(request, response, await answerTo(askOfBody(request)), response.locals.requestId);
  };
  router.all('/api/ci-badges/image', allowOnly('GET', 'HEAD', 'POST'), readBody, serve(badges.image));
  router.all('/api/ci-badges/link', allowOnly('GET', 'HEAD', 'POST'), readBody, serve(badges.link));
  return router;
}

/** What a request asks by its address, and by its body if it has one. */
export function askOf(headers: IncomingHttpHeaders, query: readonly Argument[], body: readonly Argument[] = []): Ask {
  return { args: body.length > 0 ? [...query, ...body] : query, key: keyOf(headers, query, body) };
}

function askOfBody(request: Request): Ask {
  const query = queryArguments(request.originalUrl);
  try {
    return askOf(request.headers, query, argumentsOfBody(request));
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    return { ...askOf(request.headers, query), problem: error };
  }
}

/** What was found, and what is to be told beside it. */
interface Found {
  readonly ask: Ask;
  readonly grant: Grant;
  readonly resolution: Resolution;
  readonly duplicates: readonly string[];
  /** The keys as they were when the grant was given. */
  readonly seen: readonly Seen[];
}

/** What is being looked for. */
type Search = Omit<Found, 'resolution'> & { readonly resolution: Resolution | Promise<Resolution> };

export function createCiBadges({ access, routing, resolver, drawings, logos }: BadgeParts): CiBadges {
  /** A fresh execution looks the same to all who have no wishes: it is made once, and lives on for whoever asks next. */
  const plain = new WeakMap<Resolution, Answer>();

  /** `undefined` when the key does not allow it: nobody is told why. */
  function search(ask: Ask): Search | undefined {
    const { args, key, problem } = ask;
    const seen = see(access.stamp);
    const grant = access.authorize(key.text, 'badges');
    if (!grant) return undefined;
    try {
      if (problem) throw problem;
      const { query, duplicates } = parseQuery(args);
      if (!grant.mayShow(query.application)) return undefined;
      const routes = routing.routesFor(query, argument(args, 'source'), grant.mayAsk);
      return routes && { ask, grant, resolution: resolver.find(routes), duplicates, seen };
    } catch (error) {
      if (!(error instanceof QueryError || error instanceof BadRequest)) throw error;
      const reason = error instanceof BadRequest ? error.reason : 'bad-request';
      return { ask, grant, resolution: misunderstood(reason, error.message), duplicates: [], seen };
    }
  }

  function answer(ask: Ask, toAnswer: (found: Found) => Answer): Answer | Promise<Answer> {
    const found = search(ask);
    if (!found) return forbidden();
    const { resolution } = found;
    if (!(resolution instanceof Promise)) return toAnswer({ ...found, resolution });
    return resolution.then((known) => toAnswer({ ...found, resolution: known }));
  }

  function lifeOf({ ask: { key }, grant, resolution, seen }: Found, presentation: Presentation = {}): Life {
    return {
      freshUntil: Math.min(resolution.freshUntil, grant.until),
      shared: key.inAddress || key.text === undefined,
      leastSeconds: leastSecondsOf(resolution, presentation),
      until: grant.until,
      seen: [...resolution.seen, ...seen],
    };
  }

  function draw(resolution: Resolution, badge: Badge, presentation: Presentation): Drawing {
    const identity = JSON.stringify(badge);
    switch (presentation.format) {
      case 'json':
        return new Drawing('application/json', renderJson(badge, factsOf(resolution)));
      case 'endpoint':
        return new Drawing('application/json', renderEndpoint(badge, resolution.state === 'error'));
      case 'txt':
        return new Drawing('text/plain; charset=utf-8', `${badge.message}\n`);
      default:
        return drawings.get(identity, 'image/svg+xml; charset=utf-8', () => renderSvg(badge));
    }
  }

  function image(found: Found): Answer {
    const { ask, resolution, duplicates } = found;
    const presentation = parsePresentation(ask.args);
    const isPlain = presentation === PLAIN && resolution.reason === undefined && duplicates.length === 0;
    const made = isPlain ? plain.get(resolution) : undefined;
    if (made) return { ...made, life: lifeOf(found) };
    const strict = ['1', 'true'].includes(argument(ask.args, 'strict') ?? '');
    const status = strict && resolution.reason ? STRICT_STATUS[resolution.reason] : 200;
    const drawing = draw(resolution, toBadge(resolution, presentation, logos), presentation);
    const headers = factHeaders(resolution, reasonsOf(resolution, duplicates));
    const answer = toAnswer(status, headers, lifeOf(found, presentation), drawing, cacheStatusOf(resolution));
    if (isPlain) plain.set(resolution, answer);
    return answer;
  }

  function link(found: Found): Answer {
    const { ask, resolution, duplicates } = found;
    const headers = factHeaders(resolution, reasonsOf(resolution, duplicates));
    const life = lifeOf(found);
    const wanted = (argument(ask.args, 'page') ?? 'build').toLowerCase();
    const page = PAGES.find((known) => known === wanted);
    const cache = cacheStatusOf(resolution);
    const refuse = (text: string) => toAnswer(400, headers, life, textOf(text), cache);
    if (!page) return refuse(`page \`${wanted}\` is not known: ${PAGES.join(', ')} are`);
    if (!resolution.execution) return refuse(resolution.detail ?? `no link: ${resolution.reason ?? 'unknown'}`);
    const address = pageOf(resolution.execution, page);
    if (!address) return refuse('the build was reported without a page');
    return toAnswer(303, { ...headers, Location: address }, life, undefined, cache);
  }

  return {
    image: (ask) => answer(ask, image),
    link: (ask) => answer(ask, link),
  };
}

/** HTTP errors for scripts that ask with `strict=1`. */
const STRICT_STATUS: Readonly<Record<Reason, number>> = {
  'no-match': 404,
  'not-among-newest': 404,
  'unknown-source': 404,
  'bad-request': 400,
  'duplicate-argument': 400,
  'unsupported-filter': 400,
  'upstream-unreachable': 502,
  'upstream-refused': 502,
  'upstream-limited': 503,
  timeout: 504,
  'internal-error': 500,
};

/** What went wrong is not kept for longer because the asker wants that. */
function leastSecondsOf({ reason }: Resolution, { cacheSeconds = 0 }: Presentation): number {
  return reason ? 0 : cacheSeconds;
}

/** The first value of a name, which is compared without regard to case. */
function argument(args: readonly Argument[], name: string): string | undefined {
  return args.find(([given]) => given.length === name.length && given.toLowerCase() === name)?.[1];
}

function misunderstood(reason: Reason, detail: string): Resolution {
  return { state: 'unknown', reason, detail, freshUntil: Date.now() + 30_000, stale: false, cache: 'miss', seen: [] };
}

function reasonsOf({ reason }: Resolution, duplicates: readonly string[]): readonly Reason[] {
  return [...(reason ? [reason] : []), ...(duplicates.length > 0 ? (['duplicate-argument'] as const) : [])];
}

/** What is told beside the picture. */
function factHeaders(resolution: Resolution, reasons: readonly Reason[]): Record<string, string> {
  const { state, execution, stale, askedAt, detail } = resolution;
  return {
    'Badge-State': state,
    ...(execution && { 'Badge-Status': headerText(execution.status) }),
    ...(reasons.length > 0 && { 'Badge-Reason': reasons.join(', ') }),
    ...(detail && { 'Badge-Detail': headerText(detail) }),
    ...(stale && askedAt && { 'Badge-Stale': `since ${askedAt.toISOString()}` }),
  };
}

function cacheStatusOf({ cache }: Resolution): string {
  return `signalbox; ${cache === 'miss' ? 'fwd=miss' : cache === 'stale' ? 'hit; detail=stale' : 'hit'}`;
}

function factsOf({ state, execution, reason, detail, stale, source, askedAt }: Resolution): object {
  if (!execution) return { state, reason, detail, stale, source, askedAt };
  const { status, application, release, build, branch, tag, commit, queuedAt, startedAt, finishedAt, pages } =
    execution;
  const facts = { application, release, build, branch, tag, commit, queuedAt, startedAt, finishedAt, pages };
  return { state, status, reason, detail, stale, source, askedAt, ...facts };
}

function textOf(text: string): Drawing {
  return new Drawing('text/plain; charset=utf-8', `${text}\n`);
}

function forbidden(): Answer {
  const text = 'An API key that allows this is needed: send it as key=…, in the header X-ApiKey, or as Basic api:…';
  return toAnswer(403, {}, NOT_KEPT, textOf(text));
}

/** A text that a header can carry: anything but printable ASCII is percent-encoded. */
function headerText(text: string): string {
  return text
    .slice(0, 300)
    .toWellFormed()
    .replace(/[^\x20-\x7e]+/g, encodeURIComponent);
}
