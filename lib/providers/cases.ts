import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Execution } from '../builds/index.ts';
import type { Change, Project, ProjectWish, Provider, ProviderQuery, WebhookRequest } from './provider.ts';

/** A request as the backend gets it. */
export interface ExpectedRequest {
  /** Path and query, encoded as sent, from the root of the origin. */
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** The JSON body of a POST. */
  readonly body?: unknown;
}

/** Recorded answers of further requests: path (with or without its query) to the fixture's file name. */
export type Answers = Readonly<Record<string, string>>;

/** One recorded answer and what is to be read from it. What is absent is as in the case. */
export interface Situation {
  readonly query?: ProviderQuery;
  readonly request?: ExpectedRequest;
  readonly also?: Answers;
  /** Puts a recorded element into the list that it was an element of. */
  readonly wrap?: (fixture: unknown) => unknown;
  /** The first executions, newest first, with the fields that are named. */
  readonly expect: readonly Partial<Execution>[];
}

/** What is tested of a provider: the promises are in the kit. */
export interface ProviderCase {
  readonly provider: Provider;
  /** As in the configuration. `url` is at `https://ci.test`; every secret is `s3cret`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly query: ProviderQuery;
  /** The first request that the query makes. */
  readonly request: ExpectedRequest;
  readonly also?: Answers;
  readonly wrap?: (fixture: unknown) => unknown;
  /** By fixture's file name; `name.json#2` for another situation of the same file. */
  readonly executions: Readonly<Record<string, readonly Partial<Execution>[] | Situation>>;
  /** What `findProject` reads: the answers of its requests and the facts. */
  readonly project?: { readonly also: Answers; readonly wish?: ProjectWish; readonly expect: Project };
  /** Deliveries by fixture's file name, and how the backend proves itself. */
  readonly webhook?: {
    /** Headers or query with which the backend proves that it knows `s3cret`. */
    readonly prove: (body: Buffer) => Partial<Pick<WebhookRequest, 'headers' | 'query'>>;
    readonly deliveries: Readonly<
      Record<string, { readonly headers?: Readonly<Record<string, string>>; readonly change: Change | undefined }>
    >;
  };
  /** Promises that the backend cannot keep, by name, with the reason. */
  readonly skip?: Readonly<Partial<Record<Promised, string>>>;
}

/** The promises that may be skipped, with a reason. */
export type Promised = 'credentials' | 'absent' | 'another shape' | 'web page' | 'names';

/** Folder of the recorded answers, from where tests and demo are run. */
const FIXTURES = 'fixtures';

/** The path and file of a situation's recorded answers: what a server in its place would have to say. */
export function answersOf(
  subject: ProviderCase,
  name: string,
): { first: ExpectedRequest; body: string; also: Answers } {
  const situation = toSituation(subject.executions[name] ?? []);
  return {
    first: situation.request ?? subject.request,
    body: bodyOf(subject, name, situation),
    also: { ...subject.also, ...situation.also },
  };
}

export function toSituation(given: readonly Partial<Execution>[] | Situation): Situation {
  return 'expect' in given ? given : { expect: given };
}

export function readFixture(provider: string, name: string): string {
  return readFileSync(resolve(FIXTURES, provider, name.split('#')[0] ?? name), 'utf8');
}

/** The kind of a recorded answer, by its file's name. */
export function typeOf(name: string): string {
  const ending = /\.(\w+)(#|$)/.exec(name)?.[1];
  return { xml: 'application/xml', svg: 'image/svg+xml', txt: 'text/plain' }[ending ?? ''] ?? 'application/json';
}

/** What a recorded answer says, put into the list that it was an element of where the case says so. */
export function bodyOf(subject: ProviderCase, name: string, situation: Situation): string {
  const text = readFixture(subject.provider.id, name);
  const wrap = situation.wrap ?? subject.wrap;
  return wrap ? JSON.stringify(wrap(JSON.parse(text))) : text;
}
