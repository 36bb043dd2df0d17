import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type Answer, sendAnswer, toInternalError, toTooMany } from './answer.ts';
import { queryArguments } from './arguments.ts';
import { askOf, type CiBadges } from './ci-badges.ts';
import type { Limits } from './limits.ts';
import { pathOf, type Requests } from './requests.ts';
import { identityOf, type Warm } from './warm.ts';

export interface FrontSettings {
  readonly basePath: string;
  readonly warm: Warm;
  readonly badges: CiBadges;
  readonly requests: Requests;
  readonly log: Logger;
  /** Absent where everybody may ask as often as they like. */
  readonly limits?: Limits | undefined;
  /** Whoever answers all other requests. */
  readonly app: RequestListener;
}

/**
 * What sees a request first: it is answered from what is kept ready, or, when it asks for the badge or link of a build
 * in its address alone, without the routing that only other requests need.
 */
export function createFront({ basePath, warm, badges, requests, log, limits, app }: FrontSettings): RequestListener {
  const base = basePath === '/' ? '' : basePath;
  const kinds = new Map([
    [`${base}/api/ci-badges/image`, badges.image],
    [`${base}/api/ci-badges/link`, badges.link],
  ]);

  /** By the identity of a request that waits for a backend: those that came after it and want the same. */
  const waiting = new Map<string, (() => void)[]>();

  /** One goes on, and the others with it: most of them with the answer that it got, which is warm by then. */
  async function leadOthers(identity: string, answered: Promise<void>): Promise<void> {
    const others: (() => void)[] = [];
    waiting.set(identity, others);
    await answered;
    waiting.delete(identity);
    for (const goOn of others) goOn();
  }

  function serve(request: IncomingMessage, response: ServerResponse, answerTo: CiBadges['image']): void {
    const id = requests.idOf(request.headers);
    const startedAt = performance.now();
    const send = (answer: Answer) => {
      sendAnswer(request, response, answer, id);
      requests.answered(request, response, id, startedAt);
      warm.keep(request, answer);
    };
    const fail = (error: unknown) => {
      log.error({ err: error, requestId: id }, 'internal error');
      if (!response.headersSent) send(toInternalError());
    };
    try {
      const answer = answerTo(askOf(request.headers, queryArguments(request.url ?? '')));
      if (answer instanceof Promise) void leadOthers(identityOf(request), answer.then(send).catch(fail));
      else send(answer);
    } catch (error) {
      fail(error);
    }
  }

  function refuse(request: IncomingMessage, response: ServerResponse, seconds: number): void {
    const id = requests.idOf(request.headers);
    sendAnswer(request, response, toTooMany(seconds), id);
    requests.answered(request, response, id, performance.now());
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    if (warm.serve(request, response)) return;
    const answerTo = asksByAddressAlone(request) ? kinds.get(pathOf(request.url ?? '')) : undefined;
    const others = answerTo && waiting.get(identityOf(request));
    // Who has waited once goes on by itself: the next answer may be of no use to it either.
    if (others) others.push(() => warm.serve(request, response) || serve(request, response, answerTo));
    else if (answerTo) serve(request, response, answerTo);
    else app(request, response);
  }

  if (!limits) return handle;
  return (request, response) => {
    const seconds = limits.take(request);
    if (seconds === undefined) handle(request, response);
    else refuse(request, response, seconds);
  };
}

/** A GET or HEAD as they usually are: without a body. */
function asksByAddressAlone({ method, headers }: IncomingMessage): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  );
}
