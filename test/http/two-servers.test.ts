import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type BadgeEntity,
  badgesOf,
  type Client,
  clientOf,
  describeOnPostgres,
  expectStatus,
  freshSqlite,
  idOf,
  type Reply,
} from '../definitions-host.ts';

const CLI = resolve(import.meta.dirname, '../../lib/cli.ts');
const TOKEN = 'token-of-the-administrator';
const API = { token: TOKEN };
const CLIENTS = 50;
const ROUNDS = 4;
const MOST_MS = 60_000;

/** A server in a process of its own. */
interface Server extends Client {
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Servers that are ended after the suite, however it ends. */
function createServers() {
  const running = new Set<ChildProcess>();
  after(() => {
    for (const child of running) child.kill('SIGKILL');
  });
  return async (database: string): Promise<Server> => {
    const child = spawn(process.execPath, [CLI], {
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        SIGNALBOX_PORT: '0',
        SIGNALBOX_DATABASE_URL: database,
        SIGNALBOX_ADMIN_TOKEN: TOKEN,
      },
    });
    running.add(child);
    const ended = once(child, 'exit').then(() => running.delete(child));
    const address = await addressOf(child);
    return {
      ...clientOf(address),
      kill: async (signal) => {
        child.kill(signal);
        await ended;
      },
    };
  };
}

/** Waits for the line of log that says where the server listens; reads on, so that the server never waits for a reader. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (said.length < 20) said.push(line);
        const { msg, address } = line.startsWith('{') ? JSON.parse(line) : {};
        if (msg === 'listening') found(address);
      });
    }
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}: ${said.join('\n')}`)));
  });
}

async function addProject(server: Server, name: string): Promise<string> {
  const form = { name, visibility: 'public' };
  return `/projects/${idOf(expectStatus(await server.send('POST', '/projects', { ...API, form }), 201))}/badges`;
}

async function listAll(server: Server, badges: string): Promise<BadgeEntity[]> {
  const all: BadgeEntity[] = [];
  for (let page = 1; ; page += 1) {
    const reply = expectStatus(await server.get(`${badges}?per_page=100&page=${page}`), 200);
    all.push(...badgesOf(reply));
    if (reply.headers['x-next-page'] === '') return all;
  }
}

/** A badge as its writer knows it. What was not acknowledged may have happened or not. */
interface Written {
  readonly id: number;
  images: string[];
  removed: 'no' | 'perhaps' | 'yes';
}

/** What one client wrote, in the order in which it was acknowledged. */
interface Book {
  readonly written: Written[];
  /** Names of badges whose addition was never acknowledged. */
  readonly unsure: Set<string>;
}

const image = (name: string, edit: number) => `https://ci.test/${name}/${edit}.svg`;

/** Where to write, and what becomes of it. */
interface Writing {
  readonly badges: string;
  /** The server for each request in turn. */
  serverFor(turn: number): Server;
  onAcknowledged?(): void;
  /** A request got no answer. The client goes on when this has ended. */
  onUnsure?(): Promise<unknown>;
}

/** Adds, edits and removes one after the other. */
async function write(client: number, { badges, serverFor, onAcknowledged, onUnsure }: Writing): Promise<Book> {
  const book: Book = { written: [], unsure: new Set() };
  let turn = client;
  const send = async (method: string, path: string, form?: Record<string, string>): Promise<Reply | undefined> => {
    turn += 1;
    const reply = await serverFor(turn)
      .send(method, path, { ...API, form })
      .catch((error: NodeJS.ErrnoException) => {
        if (error.code === undefined || !onUnsure) throw error;
        return undefined;
      });
    if (reply) onAcknowledged?.();
    else await onUnsure?.();
    return reply;
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const name = `c${client}-${round}`;
    const urls = { link_url: 'https://ci.test/', image_url: image(name, 0) };
    const added = await send('POST', badges, { ...urls, name });
    if (!added) {
      book.unsure.add(name);
      continue;
    }
    const badge: Written = { id: idOf(expectStatus(added, 201)), images: [image(name, 0)], removed: 'no' };
    book.written.push(badge);
    const edited = await send('PUT', `${badges}/${badge.id}`, { image_url: image(name, 1) });
    badge.images = edited ? [image(name, 1)] : [...badge.images, image(name, 1)];
    if (edited) expectStatus(edited, 200);
    if (round % 2 === 0) continue;
    const removed = await send('DELETE', `${badges}/${badge.id}`);
    badge.removed = removed ? 'yes' : 'perhaps';
    if (removed) expectStatus(removed, 204);
  }
  return book;
}

function writeAll(clients: number, writing: Writing): Promise<Book[]> {
  return Promise.all(Array.from({ length: clients }, (_, client) => write(client, writing)));
}

/** Nothing that was acknowledged is lost, nothing is there twice, and everybody's badges are in the order of their making. */
function assertKept(books: readonly Book[], list: readonly BadgeEntity[]): void {
  const place = new Map(list.map(({ id }, index) => [id, index]));
  assert.equal(place.size, list.length, 'no id is there twice');
  const names = list.map(({ name }) => name);
  assert.equal(new Set(names).size, list.length, 'no addition happened twice');
  const unsure = new Set(books.flatMap((book) => [...book.unsure]));
  const known = new Set(books.flatMap(({ written }) => written.map(({ id }) => id)));
  assert.equal(
    known.size,
    books.reduce((sum, { written }) => sum + written.length, 0),
    'no id was given twice',
  );
  for (const { id, name } of list) assert.ok(known.has(id) || unsure.has(name ?? ''), `nobody added ${name}`);
  for (const { written } of books) {
    for (const { id, images, removed } of written) {
      const found = list[place.get(id) ?? -1];
      if (removed === 'yes') assert.equal(found, undefined, `${id} was removed`);
      if (removed === 'no') assert.ok(found, `${images} was added`);
      if (found) assert.ok(images.includes(found.image_url), `${found.image_url} is none of ${images}`);
    }
    const places = written.map(({ id }) => place.get(id)).filter((index) => index !== undefined);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      'the order is that of the additions',
    );
  }
}

describeOnPostgres('two servers', (fresh) => {
  const startServer = createServers();
  let database: string;
  let first: Server;
  let second: Server;
  before(async function () {
    this.timeout(MOST_MS);
    database = await fresh();
    [first, second] = await Promise.all([startServer(database), startServer(database)]);
  });

  it('lose nothing, double nothing and keep the order while fifty clients write to both', async () => {
    const badges = await addProject(first, 'load');
    const books = await writeAll(CLIENTS, { badges, serverFor: (turn) => (turn % 2 === 0 ? first : second) });
    const list = await listAll(first, badges);
    assert.equal(list.length, CLIENTS * (ROUNDS / 2));
    assertKept(books, list);
    assert.deepEqual(await listAll(second, badges), list);
    assert.deepEqual(await listAll(first, badges), list);
  }).timeout(MOST_MS);

  it('keep every acknowledged write when one is killed and started again in the middle', async () => {
    const badges = await addProject(first, 'killed');
    let acknowledged = 0;
    let unsure = 0;
    let restarted: Promise<unknown> | undefined;
    const restart = async () => {
      await second.kill('SIGKILL');
      second = await startServer(database);
    };
    const books = await writeAll(CLIENTS, {
      badges,
      serverFor: (turn) => (turn % 2 === 0 ? first : second),
      onAcknowledged() {
        acknowledged += 1;
        if (acknowledged === 150) restarted = restart();
      },
      async onUnsure() {
        unsure += 1;
        await restarted;
      },
    });
    await restarted;
    assert.ok(unsure > 0, 'it was killed in the middle');
    const list = await listAll(second, badges);
    assertKept(books, list);
    assert.deepEqual(await listAll(first, badges), list);
  }).timeout(MOST_MS);

  it('show each other their changes at once', async () => {
    const badges = await addProject(first, 'shown');
    const form = { link_url: 'https://ci.test/', image_url: 'https://ci.test/' };
    const id = idOf(expectStatus(await first.send('POST', badges, { ...API, form }), 201));
    assert.equal((await second.get(`${badges}/${id}`)).status, 200);
    expectStatus(await second.send('PUT', `${badges}/${id}`, { ...API, form: { name: 'edited' } }), 200);
    assert.equal(badgesOf(await first.get(badges))[0]?.name, 'edited');
    expectStatus(await first.send('DELETE', `${badges}/${id}`, API), 204);
    assert.equal((await second.get(`${badges}/${id}`)).status, 404);
  });
});

describe('a server on SQLite', () => {
  const fresh = freshSqlite();
  const startServer = createServers();

  it('has every definition that it acknowledged after it was killed', async () => {
    const database = await fresh();
    const ids: number[] = [];
    let badges: string | undefined;
    for (let round = 0; round < 3; round += 1) {
      const server = await startServer(database);
      badges ??= await addProject(server, 'kept');
      const form = { link_url: 'https://ci.test/', image_url: image('kept', round) };
      const added = await server.send('POST', badges, { ...API, form });
      await server.kill('SIGKILL');
      ids.push(idOf(expectStatus(added, 201)));
    }
    const server = await startServer(database);
    const list = await listAll(server, badges ?? '');
    assert.deepEqual(
      list.map(({ id, image_url }) => [id, image_url]),
      ids.map((id, round) => [id, image('kept', round)]),
    );
    await server.kill('SIGTERM');
  }).timeout(MOST_MS);

  it('is one of two on the same file that lose nothing either', async () => {
    const database = await fresh();
    const servers = await Promise.all([startServer(database), startServer(database)]);
    const badges = await addProject(servers[0], 'load');
    const books = await writeAll(10, { badges, serverFor: (turn) => servers[turn % 2 === 0 ? 0 : 1] });
    const list = await listAll(servers[0], badges);
    assert.equal(list.length, 10 * (ROUNDS / 2));
    assertKept(books, list);
    assert.deepEqual(await listAll(servers[1], badges), list);
    await Promise.all(servers.map((server) => server.kill('SIGTERM')));
  }).timeout(MOST_MS);
});
