import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import nock from 'nock';
import { type Execution, FILTERS, OUTCOMES, type Outcome, type OutcomeTable, outcomeOf } from '../builds/index.ts';
import {
  type Answers,
  bodyOf,
  type Promised,
  type ProviderCase,
  readFixture,
  type Situation,
  toSituation,
  typeOf,
} from './cases.ts';
import { BadRequest, UpstreamAbsent, UpstreamError, UpstreamLimited, UpstreamRefused } from './errors.ts';
import type { ProviderQuery } from './provider.ts';
import { Secret } from './secret.ts';
import { createUpstream, type Upstream } from './upstream.ts';

export * from './cases.ts';

export const TEST_SECRET = 's3cret';

/** Runs the contract of providers, as mocha tests, on one of them. */
export function describeProvider(subject: ProviderCase): void {
  const { provider, query, request, skip = {} } = subject;
  const options = provider.options.parse(subject.options);
  const origin = new URL(options.url ?? 'https://ci.test').origin;

  /** A promise that may be skipped says why in its title. */
  const promise = (name: Promised, title: string, test: () => Promise<void> | void) => {
    const reason = skip[name];
    if (reason === undefined) it(title, test);
    else it.skip(`${title} (${reason})`); // the provider cannot keep this promise: its case says why
  };

  describe(`provider ${provider.id}`, () => {
    let upstream: Upstream;

    beforeEach(() => {
      nock.disableNetConnect();
      upstream = createUpstream({ origin, userAgent: 'signalbox/test', timeoutMs: 2_000 });
    });
    afterEach(async () => {
      nock.cleanAll();
      nock.enableNetConnect();
      await upstream.close();
    });

    const ask = (of: ProviderQuery = query, most = 50) => collect(provider.executions(of, { options, upstream }), most);

    if (Object.keys(subject.executions).length === 0) {
      it('has a recorded answer', () => {
        const { method = 'GET', path } = request;
        assert.fail(
          `no answer is recorded: put what the backend says to ${method} ${origin}${path} into fixtures/${provider.id}/success.json, and what is to be read from it into \`executions\` of the case`,
        );
      });
      return;
    }

    for (const [name, given] of Object.entries(subject.executions)) {
      const situation = toSituation(given);
      it(`reads ${name}`, async () => {
        serve(origin, subject, name, situation);
        const executions = await ask(situation.query ?? query, Math.max(situation.expect.length, 1));
        assert.equal(executions.length, situation.expect.length, 'number of executions');
        for (const [index, expected] of situation.expect.entries()) {
          assert.deepEqual(pick(executions[index], expected), expected);
        }
        for (const execution of executions) checkExecution(execution);
      });
    }

    it('makes exactly the request that was promised', async () => {
      const [name = ''] = Object.keys(subject.executions);
      const situation = toSituation(subject.executions[name] ?? []);
      serve(origin, subject, name, { ...situation, query, request });
      await ask(query, 1);
      assert.equal(nock.isDone(), true, `not asked for: ${nock.pendingMocks().join(', ')}`);
    });

    promise('credentials', 'sends its credentials', async () => {
      const sent = inspect(await headersOfFirst(origin, () => ask()));
      const [, basic = ''] = /Basic ([\w+/=]+)/.exec(sent) ?? [];
      assert.ok(sent.includes(TEST_SECRET) || Buffer.from(basic, 'base64').toString().includes(TEST_SECRET), sent);
    });

    it('refuses an unknown option', () => {
      assert.equal(provider.options.safeParse({ ...subject.options, tokn: 'x' }).success, false);
    });

    for (const status of [401, 403]) {
      it(`is refused by ${status}`, async () => {
        always(origin, (mock) => mock.reply(status, { message: 'no' }));
        await assert.rejects(ask(), UpstreamRefused);
      });
    }

    promise('absent', 'finds nothing where the backend says 404', async () => {
      always(origin, (mock) => mock.reply(404, { message: 'not found' }));
      const executions = await ask().catch((error: unknown) => {
        if (error instanceof UpstreamAbsent) return [];
        throw error;
      });
      assert.deepEqual(executions, []);
    });

    it('is slowed down by 429, until when the backend says', async () => {
      always(origin, (mock) => mock.reply(429, 'slow down', { 'retry-after': '120' }));
      const before = Date.now();
      const error = await ask().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      assert.ok(error instanceof UpstreamLimited, inspect(error));
      assert.ok(error.retryAt && error.retryAt.getTime() >= before + 119_000);
    });

    it('fails on 500', async () => {
      always(origin, (mock) => mock.reply(500, 'oops'));
      await assert.rejects(ask(), UpstreamError);
    });

    promise('another shape', 'fails on a broken body and on another shape', async () => {
      for (const body of ['{"broken', '"a text"', '12']) {
        nock.cleanAll();
        always(origin, (mock) => mock.reply(200, body, { 'content-type': 'application/json' }));
        await assert.rejects(ask(), UpstreamError, `the body ${body}`);
      }
    });

    promise('web page', 'is refused by a sign-in page and by a redirect to another host', async () => {
      always(origin, (mock) => mock.reply(200, '<html>Sign in</html>', { 'content-type': 'text/html; charset=utf-8' }));
      await assert.rejects(ask(), UpstreamRefused);
      nock.cleanAll();
      always(origin, (mock) => mock.reply(302, '', { location: 'https://sign-in.test/' }));
      await assert.rejects(ask(), UpstreamRefused);
    });

    it('fails on a broken connection, and recovers', async () => {
      always(origin, (mock) => mock.replyWithError(Object.assign(new Error('broken'), { code: 'ECONNRESET' })));
      await assert.rejects(ask(), UpstreamError);
      nock.cleanAll();
      const found = Object.entries(subject.executions).find(([, given]) => toSituation(given).expect.length > 0);
      assert.ok(found, 'no situation has an execution');
      serve(origin, subject, found[0], toSituation(found[1]));
      assert.ok((await ask(toSituation(found[1]).query ?? query, 1)).length > 0);
    });

    promise('names', 'never leaves the root of its API, whatever the application is called', async () => {
      const root = new URL(options.url ?? origin).pathname.replace(/\/$/, '');
      for (const application of STRANGE_NAMES) {
        nock.cleanAll();
        const paths: string[] = [];
        nock(origin)
          .persist()
          .intercept(/.*/, 'GET')
          .reply((request: Request) => [paths.push(pathOf(request)) && 404, '{}'])
          .intercept(/.*/, 'POST')
          .reply((request: Request) => [paths.push(pathOf(request)) && 404, '{}']);
        await ask({ ...query, application }, 1).catch((error: unknown) => {
          if (!(error instanceof BadRequest || error instanceof UpstreamAbsent || error instanceof UpstreamError))
            throw error;
        });
        for (const path of paths) {
          assert.ok(path.startsWith(`${root}/`), `${path} left ${root}`);
          assert.doesNotMatch(path.split('?')[0] ?? '', /(^|\/)\.\.?(\/|$)|\/\/|[\u0000-\u001f]/);
        }
      }
    });

    it('never shows the secret', async () => {
      always(origin, (mock) => mock.reply(500, 'oops'));
      const error = await ask().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      for (const text of [inspect(error, { depth: 10 }), JSON.stringify(options), inspect(options, { depth: 10 })]) {
        assert.ok(!text.includes(TEST_SECRET), 'the secret is shown');
      }
    });

    it('declares only filters that there are', () => {
      assert.deepEqual(
        provider.filters.filter((filter) => !FILTERS.includes(filter)),
        [],
      );
    });

    if (subject.project) describeProject(subject.project);
    if (subject.webhook) describeWebhook(subject.webhook);

    function describeProject({
      also,
      expect,
      wish = { commit: true, tag: true },
    }: NonNullable<ProviderCase['project']>): void {
      it('finds the facts of a project', async () => {
        serveAlso(origin, provider.id, also, 0);
        const project = await provider.findProject?.(query.application, { options, upstream }, wish);
        assert.deepEqual(pick(project, expect), expect);
      });
    }

    function describeWebhook({ prove, deliveries }: NonNullable<ProviderCase['webhook']>): void {
      const { webhook } = provider;
      assert.ok(webhook, `${provider.id} has no webhook`);
      for (const [name, { headers = {}, change }] of Object.entries(deliveries)) {
        it(`reads the delivery ${name}`, () => {
          const body = Buffer.from(readFixture(provider.id, name));
          const given = { headers, query: {}, body };
          assert.deepEqual(webhook.read(JSON.parse(body.toString()), given), change);
          const proof = prove(body);
          const proven = { body, query: { ...proof.query }, headers: { ...headers, ...proof.headers } };
          assert.equal(webhook.verify(proven, new Secret(TEST_SECRET)), true, 'a proven delivery');
          assert.equal(webhook.verify(proven, new Secret('another')), false, 'another secret');
          assert.equal(webhook.verify(given, new Secret(TEST_SECRET)), false, 'no proof at all');
        });
      }
    }
  });
}

/** Tests an outcome table row by row, and that it knows no word that it does not have. */
export function describeOutcomes(table: OutcomeTable, expected: Readonly<Record<string, Outcome>>): void {
  describe('outcomes', () => {
    for (const [word, outcome] of Object.entries(expected)) {
      it(`${word} is ${outcome}`, () => assert.equal(outcomeOf(table, word), outcome));
    }
    for (const word of ['a word nobody knows', 'constructor', '__proto__', '', undefined]) {
      it(`${word} is unknown`, () => assert.equal(outcomeOf(table, word), 'unknown'));
    }
    it('has no row that is not tested', () => {
      assert.deepEqual(Object.keys(table).sort(), Object.keys(expected).sort());
    });
  });
}

const STRANGE_NAMES = [
  '../../secret',
  'a/../b',
  '%2e%2e/%2e%2e',
  'a\0b/c',
  'x'.repeat(5_000),
  'päth/ünï☃',
  '//evil.test/x',
  'a?b#c/d',
  '\\..\\x/y',
  '',
];

function serve(origin: string, subject: ProviderCase, name: string, situation: Situation): void {
  const { path, method = 'GET', headers = {}, body } = situation.request ?? subject.request;
  nock(origin, { reqheaders: { ...headers } })
    .intercept(path, method, body as nock.RequestBodyMatcher)
    .reply(200, bodyOf(subject, name, situation), { 'content-type': typeOf(name) });
  serveAlso(origin, subject.provider.id, { ...subject.also, ...situation.also }, 1);
}

function serveAlso(origin: string, provider: string, also: Answers, optionally: 0 | 1): void {
  for (const [path, name] of Object.entries(also)) {
    const mock = path.includes('?') ? nock(origin) : nock(origin).persist();
    const target = path.includes('?') ? path : (uri: string) => uri.split('?')[0] === path;
    for (const method of ['GET', 'POST']) {
      const optional = method === 'POST' || optionally === 1;
      mock
        .intercept(target, method)
        .optionally(optional)
        .reply(200, readFixture(provider, name), { 'content-type': typeOf(name) });
    }
  }
}

function always(origin: string, reply: (mock: nock.Interceptor) => nock.Scope): void {
  for (const method of ['GET', 'POST']) reply(nock(origin).persist().intercept(/.*/, method));
}

async function headersOfFirst(origin: string, ask: () => Promise<unknown>): Promise<Record<string, unknown>> {
  let sent: Record<string, unknown> | undefined;
  for (const method of ['GET', 'POST']) {
    nock(origin)
      .persist()
      .intercept(/.*/, method)
      .reply((request: Request) => {
        sent ??= { ...Object.fromEntries(request.headers), path: pathOf(request) };
        return [500, ''];
      });
  }
  await ask().catch(() => undefined);
  return sent ?? {};
}

/** Path and query as they were sent. */
function pathOf({ url }: Request): string {
  return url.replace(/^https?:\/\/[^/]+/, '');
}

function checkExecution({ outcome, status, pages, application }: Execution): void {
  assert.ok(OUTCOMES.includes(outcome), `outcome ${outcome}`);
  assert.equal(typeof status, 'string');
  assert.equal(typeof application, 'string');
  assert.ok(pages.build, 'an execution has a page of its build');
  for (const [page, address] of Object.entries(pages)) {
    if (address !== undefined) assert.match(address, /^https?:\/\/[^/]/, `the page ${page}`);
  }
}

async function collect(executions: AsyncIterable<Execution>, most: number): Promise<Execution[]> {
  const collected: Execution[] = [];
  for await (const execution of executions) {
    collected.push(execution);
    if (collected.length === most) break;
  }
  return collected;
}

/** The fields of a value that are named by another, for comparing only these. */
function pick(value: object | undefined, names: object): object {
  return Object.fromEntries(
    Object.keys(names).map((name) => [name, (value as Record<string, unknown> | undefined)?.[name]]),
  );
}
