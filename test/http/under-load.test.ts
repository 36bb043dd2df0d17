import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type Dispatcher, Pool } from 'undici';
import { z } from 'zod';
import { digestOf } from '../../lib/access/index.ts';
import type { BuildQuery, Execution } from '../../lib/builds/index.ts';
import { ConfigOptions, parseOptions } from '../../lib/config/index.ts';
import { type BadgeHost, createBadgeHost } from '../../lib/host.ts';
import { createLog } from '../../lib/observe/index.ts';
import { defineProvider, httpUrl, sameText } from '../../lib/providers/index.ts';
import { addKey, removeKey } from '../../lib/storage/index.ts';
import { BadgeEntity } from '../definitions-host.ts';
import { keyOf } from '../host.ts';

const CONNECTIONS = 32;
/** The longest that an answer may take, on a slow machine too. */
const MOST_MS = 20_000;
/** Requests at once, beside those that keep the connections busy. */
const BURST = 16;
const IMAGE = '/api/ci-badges/image';
const LINK = '/api/ci-badges/link';
const WEB = 'https://ci.test/web';

/** Something that is changed under load, counted up: version after version. */
class Change {
  /** The version that may be seen. */
  begun = 0;
  /** The version that must be seen, or a later one, by whoever asks from now on. */
  settled = 0;
  /** Answers on whose way a version was settled. */
  overtaken = 0;

  async make(change: (version: number) => Promise<unknown>): Promise<void> {
    this.begun += 1;
    await change(this.begun);
    this.settled = this.begun;
  }

  /** To be called when a request is sent: what its answer may be told by. */
  versions(): () => number[] {
    const since = this.settled;
    return () => {
      if (this.settled > since) this.overtaken += 1;
      return Array.from({ length: this.begun - since + 1 }, (_, index) => since + index);
    };
  }
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as it reads; of an answer without one, as its tag says; `undefined` when that tag was not seen before. */
  readonly text: string | undefined;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

type Check = (reply: Reply) => void;

interface Ask {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What to ask, and how to check the answer: `expect` is called as the request is sent. */
interface Wish extends Ask {
  expect(): Check;
}

type Headers = Readonly<Record<string, string>>;

const asks = (path: string, expect: () => Check, headers: Headers = {}): Wish => ({
  method: 'GET',
  path,
  headers,
  expect,
});

/** A badge and its link in all ways to ask for them. */
function asksOfBadge(query: string, key: string, expect: () => Check): Wish[] {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  return [
    asks(`${IMAGE}?key=${key}&${query}&message=build`, expect),
    asks(`${IMAGE}?${query}&message=build`, expect, { 'x-apikey': key }),
    asks(`${IMAGE}?${query}&key=${key}`, expect),
    asks(`${LINK}?key=${key}&${query}`, expect),
    asks(`${IMAGE}?key=${key}&${query}&message=build&format=json`, expect),
    asks(`${IMAGE}?${query}&message=build&format=txt`, expect, { authorization: `Bearer ${key}` }),
    asks(`${LINK}?${query}`, expect, { 'x-apikey': key }),
    { method: 'POST', path: IMAGE, headers: form, body: `${query}&API_Key=${key}&message=build`, expect },
  ];
}

/** The ways in which a GET is sent. `n` makes an address that nobody asked for before. */
const FORMS: readonly ((ask: Ask, turn: number, tag: string | undefined) => Ask)[] = [
  (ask) => ask,
  (ask) => withHeaders(ask, { 'accept-encoding': 'gzip' }),
  (ask, turn) => distinct(ask, turn),
  (ask, _, tag) => withHeaders(ask, tag ? { 'if-none-match': tag } : {}),
  (ask) => ({ ...ask, method: 'HEAD' }),
  (ask) => withHeaders(ask, { 'accept-encoding': 'br, gzip' }),
  (ask, turn, tag) =>
    withHeaders(distinct(ask, turn), { 'accept-encoding': 'gzip', ...(tag && { 'if-none-match': tag }) }),
  (ask, turn) => ({ ...distinct(ask, turn), method: 'HEAD' }),
];

function withHeaders(ask: Ask, headers: Headers): Ask {
  return { ...ask, headers: { ...ask.headers, ...headers } };
}

function distinct(ask: Ask, turn: number): Ask {
  return { ...ask, path: `${ask.path}${ask.path.includes('?') ? '&' : '?'}n=${turn}` };
}

interface Counts {
  all: number;
  /** From what is kept ready. */
  warm: number;
  /** The full path, from what was known. */
  known: number;
  /** The full path, and waited for the backend. */
  waited: number;
  unmodified: number;
  compressed: number;
}

interface Load {
  /** Waits until so many more answers have come. */
  more(answers: number): Promise<void>;
  /** Sends some more at once: those that keep busy may all be waiting for an answer of before. */
  burst(): void;
}

/** Keeps connections busy with wishes, and checks every answer, while something is changed. */
async function underLoad(
  address: string,
  wishes: readonly Wish[],
  change: (load: Load) => Promise<void>,
  connections = CONNECTIONS,
): Promise<Counts> {
  const pool = new Pool(address, { headersTimeout: MOST_MS, bodyTimeout: MOST_MS });
  const read = createReader();
  const tags = new Map<string, string>();
  const counts: Counts = { all: 0, warm: 0, known: 0, waited: 0, unmodified: 0, compressed: 0 };
  let turn = 0;
  let isOver = false;
  let failure: unknown;

  async function send(wish: Wish, form: number): Promise<void> {
    const identity = `${wish.path} ${Object.values(wish.headers)}`;
    const vary = wish.method === 'GET' ? FORMS[form % FORMS.length] : undefined;
    const ask = vary ? vary(wish, turn, tags.get(identity)) : wish;
    const check = wish.expect();
    const sentAt = Date.now();
    const { method, path, headers, body = null } = ask;
    const answer = await pool.request({ method, path, headers, body });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    const reply = { status: answer.statusCode, headers: answer.headers as Reply['headers'], sentAt };
    try {
      const text = read(ask, reply, bytes);
      check({ ...reply, text });
    } catch (error) {
      const what = JSON.stringify({
        method,
        path,
        headers,
        answer: reply,
        body: bytes.toString('latin1').slice(0, 100),
      });
      throw new Error(`${error instanceof Error ? error.message : error}\n${what}`, { cause: error });
    }
    if (reply.status === 200 && method === 'GET' && reply.headers.etag) tags.set(identity, reply.headers.etag);
    count(reply);
  }

  function count({
    status,
    headers: { 'cache-status': cache = '', 'content-encoding': encoding },
  }: Omit<Reply, 'text'>) {
    counts.all += 1;
    if (cache.endsWith('detail=warm')) counts.warm += 1;
    else if (cache.startsWith('signalbox; hit')) counts.known += 1;
    else if (cache === 'signalbox; fwd=miss') counts.waited += 1;
    if (status === 304) counts.unmodified += 1;
    if (encoding) counts.compressed += 1;
  }

  async function sendNext(): Promise<void> {
    const wish = wishes[turn % wishes.length] as Wish;
    const form = Math.floor(turn / wishes.length);
    turn += 1;
    await send(wish, form);
  }

  async function keepBusy(): Promise<void> {
    while (!isOver) await sendNext();
  }

  const fail = (error: unknown) => {
    failure ??= error;
    isOver = true;
  };

  async function more(answers: number): Promise<void> {
    const wanted = counts.all + answers;
    while (counts.all < wanted) {
      if (isOver) throw failure;
      await sleep(1);
    }
  }

  const busy = Array.from({ length: connections }, () => keepBusy().catch(fail));
  const burst = () => {
    for (let count = 0; count < BURST; count += 1) busy.push(sendNext().catch(fail));
  };
  try {
    await change({ more, burst });
  } finally {
    isOver = true;
    await Promise.all(busy);
    await pool.close();
  }
  if (failure) throw failure;
  return counts;
}

/**
 * Reads the bodies of answers: they are whole, their lengths are as told, and the same tag means the same bytes and the
 * other way round.
 */
function createReader(): (ask: Ask, reply: Omit<Reply, 'text'>, bytes: Buffer) => string | undefined {
  const texts = new Map<string, string>();
  const bytesOf = new Map<string, string>();
  const tagOf = new Map<string, string>();
  const plain = (tag: string) => tag.replace(/-(gzip|br)"$/, '"');

  return ({ method, headers: sent }, { status, headers }, bytes) => {
    const { etag = '', 'content-length': length, 'content-encoding': encoding, 'content-type': type = '' } = headers;
    if (status === 304 || method === 'HEAD') {
      assert.equal(bytes.length, 0, 'there is no body');
      if (status === 304) assert.equal(plain(etag), plain(sent['if-none-match'] ?? ''), 'the tag that was asked with');
      const known = status === 200 ? bytesOf.get(etag) : undefined;
      if (known !== undefined) assert.equal(length, String(known.length), 'the length that GET would tell');
      return texts.get(plain(etag));
    }
    if (status === 302 || status === 303) assert.equal(bytes.length, 0, 'a redirect has no body');
    else assert.equal(length, String(bytes.length), 'the length that was told');
    if (encoding !== undefined)
      assert.ok(sent['accept-encoding']?.includes(encoding), 'an encoding that was asked for');
    const decoded = encoding === 'gzip' ? gunzipSync(bytes) : encoding === 'br' ? brotliDecompressSync(bytes) : bytes;
    const text = decoded.toString('utf8');
    if (type.startsWith('image/svg+xml')) assert.match(text, /^<svg .*<\/svg>$/s);
    else if (type.startsWith('application/json')) JSON.parse(text);
    else if (type.startsWith('text/plain')) assert.match(text, /^.+\n$/s);
    if (headers['badge-state'] !== undefined && status === 200) assert.match(etag, /^"[\w-]+"$/);
    if (etag === '') return text;
    const raw = bytes.toString('latin1');
    assert.equal(bytesOf.get(etag) ?? raw, raw, 'the same tag, the same bytes');
    assert.equal(tagOf.get(raw) ?? etag, etag, 'the same bytes, the same tag');
    assert.equal(texts.get(plain(etag)) ?? text, text, 'the same tag in another form, the same text');
    bytesOf.set(etag, raw);
    tagOf.set(raw, etag);
    texts.set(plain(etag), text);
    return text;
  };
}

interface Shown {
  readonly state: string;
  readonly build: number;
}

/** What a badge or link tells: the state always, a message where there is a body, the number of the build where it is wanted. */
function shownBy({ status, headers, text }: Reply): { state: string; message?: string; build?: number } {
  assert.ok([200, 303, 304].includes(status), `${status} is no badge or link`);
  const { 'badge-state': state = '', location } = headers;
  if (status === 303) return { state, build: Number(/^https:\/\/ci\.test\/web\/(\d+)$/.exec(location ?? '')?.[1]) };
  if (text === undefined) return { state };
  const told = text.startsWith('{') ? z.object({ message: z.string() }).parse(JSON.parse(text)).message : text.trim();
  const [, message = '', build] = /(?:^|<title>build: )(\w+)(?: #(\d+))?(?:$|<\/title>)/.exec(told) ?? [];
  return { state, message, ...(build !== undefined && { build: Number(build) }) };
}

/** Checks that a badge or link shows one of these, whole: no part of one and part of another. */
function assertShows(reply: Reply, possible: readonly Shown[]): void {
  const shown = shownBy(reply);
  const { state, message = state, build } = shown;
  const isOne = possible.some(
    (one) => one.state === state && one.state === message && (build ?? one.build) === one.build,
  );
  assert.ok(isOne, `${JSON.stringify(shown)} is none of ${JSON.stringify(possible)}`);
}

/** Expects a badge or link of one of the versions that there are on the way of the request. */
function showing(change: Change, shownAt: (version: number) => Shown): () => Check {
  return () => {
    const versions = change.versions();
    return (reply) => assertShows(reply, versions().map(shownAt));
  };
}

function assertForbidden({ status, headers, text }: Reply): void {
  assert.equal(status, 403);
  assert.equal(headers['badge-state'], undefined);
  assert.equal(headers['cache-control'], 'no-store');
  if (text !== undefined) assert.match(text, /^An API key /);
}

function maxAgeOf({ headers }: Reply): number {
  const [, seconds] = /^(?:public|private), max-age=(\d+),/.exec(headers['cache-control'] ?? '') ?? [];
  assert.ok(seconds !== undefined, 'Cache-Control tells an age');
  return Number(seconds);
}

/** What the backend says of an application: of its latest build, or of the one that is asked for. */
type Backend = Readonly<Record<string, (query: BuildQuery) => Promise<Partial<Execution>>>>;

interface LoadedHost {
  readonly host: BadgeHost;
  readonly address: string;
  /** How often the backend was asked. */
  readonly asked: () => number;
  /** Sends a change, and wants this status. */
  send(method: string, path: string, status: number, value: object): Promise<unknown>;
  close(): Promise<void>;
}

const SOURCE = { name: 'ci', provider: 'fake', url: 'https://ci.test', applications: ['web'], webhookSecret: 'hook' };

async function startHost(backend: Backend, sources: readonly object[] = [SOURCE]): Promise<LoadedHost> {
  let asked = 0;
  const provider = defineProvider({
    id: 'fake',
    title: 'Fake CI',
    docs: 'https://ci.test/docs',
    words: { application: 'name', release: 'branch', build: 'number', execution: 'run' },
    filters: ['application', 'build'],
    options: z.strictObject({ url: httpUrl() }),
    async *executions(query) {
      asked += 1;
      const { application } = query;
      const said = await backend[application]?.(query);
      const { build = '41', ...more } = said ?? {};
      yield { outcome: 'passed', status: 'green', application, build, pages: { build: `${WEB}/${build}` }, ...more };
    },
    webhook: {
      verify: ({ headers }, secret) => sameText(headers['x-token'], secret.reveal()),
      read: (payload) => z.object({ application: z.string().optional() }).parse(payload),
    },
  });
  const errors: string[] = [];
  const host = await createBadgeHost({
    // Nobody is to be told `timeout` because the machine that tests is slow.
    loaded: {
      config: parseOptions(ConfigOptions, {
        server: { port: 0 },
        database: 'sqlite::memory:',
        freshness: { patienceSeconds: 60 },
        sources,
      }),
    },
    providers: { fake: async () => ({ default: provider }) },
    log: createLog('info', { write: (line) => /"level":[456]0/.test(line) && errors.push(line) }),
    extraKeys: [keyOf('badges'), keyOf('push', { scopes: ['push'] }), keyOf('api', { scopes: ['api'] })],
  });
  const address = await host.listen();
  const headers = { 'content-type': 'application/json', 'x-token': 'hook' };
  return {
    host,
    address,
    asked: () => asked,
    async send(method, path, status, value) {
      const answer = await fetch(address + path, { method, headers, body: JSON.stringify(value) });
      const text = await answer.text();
      assert.equal(answer.status, status, text);
      return JSON.parse(text);
    },
    async close() {
      await host.close();
      assert.deepEqual(errors, [], 'nothing went wrong that no answer told of');
    },
  };
}

/** That it was a load, on all the ways that an answer can take. */
function assertExercised(counts: Counts, least: Partial<Counts>): void {
  for (const [name, wanted] of Object.entries(least)) {
    const count = counts[name as keyof Counts];
    assert.ok(count >= wanted, `${count} answers were ${name}, of ${JSON.stringify(counts)}`);
  }
}

describe('under load', function () {
  this.timeout(60_000);
  let test: LoadedHost;
  afterEach(() => test.close());

  it('a revoked key shows nothing any more, and others go on', async () => {
    test = await startHost({
      web: async () => {
        await sleep(test.asked() % 12);
        return {};
      },
    });
    const { host } = test;
    const { database } = host.storage;
    const SHOWN: readonly Shown[] = [{ state: 'success', build: 41 }];
    const toKey = (name: string, expiresAt?: Date) => ({
      name,
      digest: digestOf(name),
      scopes: ['badges'],
      createdAt: new Date(),
      ...(expiresAt && { expiresAt }),
    });
    const keys = ['ada', 'bob', 'eve'].map((name) => ({ name, change: new Change() }));
    const isGranted = (version: number) => version % 2 === 1;
    /** A change is in force once this process has heard of it. */
    const grantOrRevoke = ({ name, change }: (typeof keys)[number]) =>
      change.make(async (version) => {
        if (isGranted(version)) await addKey(database, toKey(name));
        else await removeKey(database, name);
        await host.hear('keys');
      });
    const granted = (change: Change) => () => {
      const versions = change.versions();
      return (reply: Reply) => {
        const possible = versions().map(isGranted);
        if (possible.includes(false) && reply.status === 403) return assertForbidden(reply);
        assert.ok(possible.includes(true), 'nothing is shown by a key that is revoked');
        assertShows(reply, SHOWN);
      };
    };
    const brief = { name: '', expiresAt: 0, shown: 0, refused: 0 };
    const showingUntil = () => {
      const { expiresAt } = brief;
      return (reply: Reply) => {
        if (reply.status === 403 && Date.now() >= expiresAt) {
          brief.refused += 1;
          return assertForbidden(reply);
        }
        assert.ok(reply.sentAt < expiresAt, 'nothing is shown by a key that has expired');
        assertShows(reply, SHOWN);
        brief.shown += 1;
        if (reply.status !== 303) return assertUntil(reply, expiresAt);
      };
    };
    const assertUntil = (reply: Reply, expiresAt: number) => {
      const left = expiresAt - reply.sentAt;
      assert.ok(maxAgeOf(reply) * 1_000 <= left, `kept for longer than ${left} ms`);
    };
    const query = '$ApplicationName=web';
    const wishes = [
      ...asksOfBadge(query, 'badges', () => (reply) => assertShows(reply, SHOWN)),
      ...keys.flatMap(({ name, change }) => asksOfBadge(query, name, granted(change))),
      ...asksOfBadge(query, 'nobody', () => assertForbidden),
    ];
    for (const key of keys) await grantOrRevoke(key);
    const counts = await underLoad(test.address, wishes, async ({ more, burst }) => {
      for (let round = 0; round < 18; round += 1) {
        await more(100);
        // Some requests of the key are waiting for the backend when it is revoked.
        host.resolver.expire('ci', 'web');
        await sleep(round % 8);
        await grantOrRevoke(keys[round % keys.length] as (typeof keys)[number]);
        burst();
      }
      await more(300);
    });
    assertExercised(counts, { all: 2_000, warm: 60, known: 300, waited: 50, unmodified: 100, compressed: 100 });
    assert.ok(keys.every(({ change }) => change.overtaken > 0));
    // A key whose time comes under load: on a slow machine it may need to live longer to be of use at all.
    for (let lifeMs = 1_600; brief.shown === 0; lifeMs *= 2) {
      Object.assign(brief, { name: `brief-${lifeMs}`, expiresAt: Date.now() + lifeMs });
      await addKey(database, toKey(brief.name, new Date(brief.expiresAt)));
      await host.hear('keys');
      const soonExpired = [
        ...asksOfBadge(query, brief.name, showingUntil),
        ...asksOfBadge(`${query}&cacheSeconds=600`, brief.name, showingUntil),
        ...asksOfBadge(query, 'badges', () => (reply) => assertShows(reply, SHOWN)),
      ];
      await underLoad(test.address, soonExpired, async ({ more }) => {
        while (Date.now() < brief.expiresAt) await more(10);
        await more(300);
      });
    }
    assert.ok(brief.refused > 100);
  });

  it('an edited definition is shown from then on, and never half of it', async () => {
    test = await startHost({ web: async ({ build = '41' }) => ({ build }) });
    const { address } = test;
    const Id = z.object({ id: z.number() });
    const Definitions = z.array(BadgeEntity);
    const key = 'private_token=api';
    const add = async (path: string, value: object) =>
      Id.parse(await test.send('POST', `/api/v4/${path}?${key}`, 201, value)).id;
    const owner = { name: 'acme', visibility: 'public' };
    const groupId = await add('groups', { ...owner, path: 'acme' });
    const projectId = await add('projects', { ...owner, path: 'web', namespace_id: groupId });

    /** A definition, which reads otherwise with every version. */
    interface Edited {
      readonly place: string;
      readonly id: number;
      readonly change: Change;
      at(version: number): BadgeEntity;
    }
    const define = async (
      place: string,
      kind: BadgeEntity['kind'],
      urlsAt: (version: number) => readonly [string, string],
    ): Promise<Edited> => {
      const rendered = (url: string) => url.replace('%{project_path}', 'acme/web');
      const changeAt = (version: number) => {
        const [image_url, link_url] = urlsAt(version);
        return { name: `v${version}`, image_url, link_url };
      };
      const id = await add(`${place}/badges`, changeAt(0));
      const at = (version: number) => {
        const change = changeAt(version);
        const { image_url, link_url } = change;
        return { ...change, rendered_image_url: rendered(image_url), rendered_link_url: rendered(link_url), id, kind };
      };
      return { place, id, change: new Change(), at };
    };
    const outside = (version: number) =>
      [`https://img.test/%{project_path}/${version}.svg`, `https://ci.test/%{project_path}/${version}`] as const;
    const here = (version: number) =>
      [
        `${address}${IMAGE}?key=badges&$ApplicationName=web&label=v${version}`,
        `${address}${LINK}?key=badges&$ApplicationName=web&$BuildNumber=${version}`,
      ] as const;
    const [inherited, external, own] = [
      await define(`groups/${groupId}`, 'group', outside),
      await define(`projects/${projectId}`, 'project', outside),
      await define(`projects/${projectId}`, 'project', here),
    ];
    const all = [inherited, external, own];
    const edit = ({ place, id, change, at }: Edited) =>
      change.make((version) => {
        const { name, image_url, link_url } = at(version);
        return test.send('PUT', `/api/v4/${place}/badges/${id}?${key}`, 200, { name, image_url, link_url });
      });

    /** Expects something of the definition's versions that there are on the way of the request. */
    const seen =
      (edited: Edited, status: number, isOf: (reply: Reply, entity: BadgeEntity) => boolean) => (): Check => {
        const versions = edited.change.versions();
        return (reply) => {
          if (reply.status !== 304) assert.equal(reply.status, status);
          const possible = versions().map(edited.at);
          assert.ok(
            possible.some((entity) => isOf(reply, entity)),
            `${reply.text ?? reply.headers.location} is none of ${JSON.stringify(possible)}`,
          );
        };
      };
    const isEntity = ({ text }: Reply, entity: BadgeEntity) => !text || isDeepStrictEqual(JSON.parse(text), entity);
    const isListed = ({ text }: Reply, entity: BadgeEntity) =>
      !text || Definitions.parse(JSON.parse(text)).some((one) => isDeepStrictEqual(one, entity));
    const leadsTo = (name: 'rendered_image_url' | 'rendered_link_url') => (reply: Reply, entity: BadgeEntity) =>
      reply.headers.location === entity[name];
    const isDrawn = ({ headers, text }: Reply, { name }: BadgeEntity) =>
      headers['badge-state'] === 'success' && (text?.includes(`<title>${name}: success</title>`) ?? true);
    const isBuild = ({ headers }: Reply, { name }: BadgeEntity) => headers.location === `${WEB}/${name?.slice(1)}`;
    /** The list: of each definition one version, and all three of them. */
    const listed = (): Check => {
      const checks = all.map((edited) => seen(edited, 200, isListed)());
      return (reply) => {
        for (const check of checks) check(reply);
        if (reply.text) assert.equal(JSON.parse(reply.text).length, all.length);
      };
    };
    const wishes = ['acme%2Fweb', String(projectId)].flatMap((ref): Wish[] => {
      const badges = `/api/v4/projects/${ref}/badges`;
      const token = { 'private-token': 'api' };
      return [
        asks(badges, listed),
        asks(badges, listed, token),
        ...[external, own].map((edited) => asks(`${badges}/${edited.id}`, seen(edited, 200, isEntity), token)),
        ...[external, inherited].flatMap((edited) => [
          asks(`${badges}/${edited.id}/image`, seen(edited, 302, leadsTo('rendered_image_url'))),
          asks(`${badges}/${edited.id}/link`, seen(edited, 302, leadsTo('rendered_link_url'))),
        ]),
        asks(`${badges}/${own.id}/image`, seen(own, 200, isDrawn)),
        asks(`${badges}/${own.id}/image`, seen(own, 200, isDrawn), token),
        asks(`${badges}/${own.id}/link`, seen(own, 303, isBuild)),
      ];
    });
    // What is drawn is warm for those who ask for it by its own address.
    const direct = asks(`${IMAGE}?key=badges&$ApplicationName=web`, () => (reply) => {
      assertShows(reply, [{ state: 'success', build: 41 }]);
    });
    const counts = await underLoad(address, [...wishes, direct, direct], async ({ more, burst }) => {
      for (let round = 0; round < 36; round += 1) {
        await edit(all[round % all.length] as Edited);
        burst();
        await more(round % 6 === 0 ? 100 : 20);
      }
    });
    assertExercised(counts, { all: 1_500, warm: 30, known: 150, waited: 5, unmodified: 30, compressed: 30 });
    assert.ok(all.every(({ change }) => change.overtaken > 0));
  });

  it('what a webhook told of is shown from then on, whoever waited before', async () => {
    const change = new Change();
    const shownAt = (version: number): Shown => ({ state: version % 2 === 0 ? 'success' : 'error', build: version });
    test = await startHost({
      // It answers with what was so when it was asked.
      web: async () => {
        const { state, build } = shownAt(change.begun);
        await sleep((test.asked() * 11) % 31);
        return { outcome: state === 'success' ? 'passed' : 'failed', build: String(build) };
      },
    });
    const wishes = [
      ...asksOfBadge('$ApplicationName=web', 'badges', showing(change, shownAt)),
      ...asksOfBadge('$ApplicationName=web&source=ci&style=plastic', 'badges', showing(change, shownAt)),
    ];
    let flips = 0;
    const counts = await underLoad(test.address, wishes, async ({ more, burst }) => {
      for (; flips < 60; flips += 1) {
        // Often while an answer of before is under way, at times when all is warm.
        if (flips % 6 === 0) await more(150);
        else await sleep(1 + (flips % 5));
        const told = flips % 3 === 0 ? {} : { application: 'web' };
        await change.make(() => test.send('POST', '/hooks/ci', 202, told));
        burst();
      }
      await more(200);
    });
    assertExercised(counts, { all: 1_500, warm: 100, known: 100, waited: 100, unmodified: 50, compressed: 50 });
    assert.ok(change.overtaken > 50, `${change.overtaken} were on their way when a hook came`);
    assert.ok(test.asked() < counts.waited, 'many waited for the same answer');
  });

  it('no answer outlives its time, nor says that it may', async () => {
    /** Between the backend's word and when it is taken note of. */
    const SLACK_MS = 500;
    const sources = [
      { name: 'quick', freshness: { settledSeconds: 0.2, settledStaleSeconds: 0.4 } },
      { name: 'slow', freshness: { settledSeconds: 1.6, settledStaleSeconds: 2 } },
    ];
    let quickAsked = 0;
    const sayTime = async (afterMs: number) => {
      await sleep(afterMs);
      return { build: String(Date.now()) };
    };
    test = await startHost(
      {
        quick: () => {
          quickAsked += 1;
          // Now and then the next answer takes longer than the last one may be given.
          return sayTime(quickAsked % 3 === 0 ? 1_500 : quickAsked % 12);
        },
        slow: () => sayTime(test.asked() % 20),
      },
      sources.map((source) => ({ ...SOURCE, ...source, applications: [source.name] })),
    );
    const load = async ({ name, freshness }: (typeof sources)[number], least: number) => {
      const [freshMs, servableMs] = [freshness.settledSeconds * 1_000, freshness.settledStaleSeconds * 1_000];
      const builds = new Set<number>();
      const check: Check = (reply) => {
        const { state, build } = shownBy(reply);
        assert.equal(state, 'success');
        if (build === undefined) return;
        builds.add(build);
        const ageMs = reply.sentAt - build;
        assert.ok(ageMs < servableMs + SLACK_MS, `${ageMs} ms old when it was asked for`);
        const promisedMs = maxAgeOf(reply) * 1_000;
        assert.ok(promisedMs <= Math.max(0, freshMs - ageMs + SLACK_MS), `${promisedMs} ms promised at ${ageMs} ms`);
      };
      const wishes = asksOfBadge(`$ApplicationName=${name}`, 'badges', () => check);
      const change = async ({ more }: Load) => {
        while (builds.size < least) await more(10);
      };
      return underLoad(test.address, wishes, change, CONNECTIONS / 2);
    };
    const [quick, slow] = await Promise.all(sources.map((source) => load(source, source.name === 'quick' ? 5 : 2)));
    assertExercised(quick as Counts, { all: 100, warm: 10, known: 10, waited: 5 });
    assertExercised(slow as Counts, { all: 200, warm: 50, known: 50, waited: 1 });
  });

  it('a reported build is shown from then on', async () => {
    test = await startHost({});
    const change = new Change();
    // Each build is running first.
    const shownAt = (version: number): Shown => ({
      state: version % 2 === 1 ? 'running' : version % 4 === 0 ? 'success' : 'error',
      build: Math.floor((version + 1) / 2),
    });
    const report = () =>
      change.make((version) => {
        const { state, build } = shownAt(version);
        const pages = { build: `${WEB}/${build}` };
        return test.send('POST', '/api/builds?key=push', 201, { application: 'told', build, state, pages });
      });
    const wishes = [
      ...asksOfBadge('$ApplicationName=told', 'badges', showing(change, shownAt)),
      ...asksOfBadge('$ApplicationName=Told&source=push&style=flat-square', 'badges', showing(change, shownAt)),
    ];
    await report();
    const counts = await underLoad(test.address, wishes, async ({ more, burst }) => {
      for (let round = 0; round < 40; round += 1) {
        await more(round % 5 === 0 ? 150 : 15);
        await report();
        burst();
      }
      await more(100);
    });
    assertExercised(counts, { all: 1_500, warm: 200, known: 200, waited: 30, unmodified: 50, compressed: 50 });
    assert.ok(change.overtaken > 50, `${change.overtaken} were on their way when a report was taken`);
  });
});
