import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import nock from 'nock';
import { z } from 'zod';
import { createUpstream, type UpstreamSettings } from '../../lib/providers/index.ts';
import { makeCertificate } from '../certificate.ts';
import { listen, play, stop } from '../server.ts';

describe('upstream through a proxy', () => {
  const open: { close(): Promise<void> }[] = [];

  before(() => nock.enableNetConnect());
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });

  async function ask(origin: string, settings: Partial<UpstreamSettings>, times = 1): Promise<unknown[]> {
    const upstream = createUpstream({ origin, userAgent: 'signalbox/test', timeoutMs: 5_000, ...settings });
    open.push(upstream);
    return Promise.all(Array.from({ length: times }, () => upstream.json(new URL('/runs', origin), z.number())));
  }

  async function backend(answer: (request: IncomingMessage, response: ServerResponse) => void = well) {
    const server = await play(answer);
    open.push(server);
    return server;
  }

  it('reaches the backend by it alone', async () => {
    const [ci, proxy] = [await backend(), await startProxy(open)];
    assert.deepEqual(await ask(ci.origin, { proxy: proxy.address }), [7]);
    assert.equal(proxy.used.length, 1);
    assert.equal(ci.got[0]?.url, '/runs');
  });

  it('proves itself to it, and not to the backend', async () => {
    const [ci, proxy] = [await backend(), await startProxy(open)];
    await ask(ci.origin, { proxy: proxy.address.replace('//', '//bob:s3cret@') });
    assert.equal(proxy.used[0], `Basic ${Buffer.from('bob:s3cret').toString('base64')}`);
    assert.equal(ci.got[0]?.headers['proxy-authorization'], undefined);
  });

  it('says that it cannot be reached, without its password', async () => {
    const ci = await backend();
    const gone = await play(well);
    await gone.close();
    await assert.rejects(ask(ci.origin, { proxy: gone.origin.replace('//', '//bob:s3cret@') }), (error: Error) => {
      assert.match(error.message, /cannot be reached/);
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
    assert.equal(ci.got.length, 0);
  });

  it('keeps the limit of requests at once', async () => {
    let underWay = 0;
    let most = 0;
    const ci = await backend((_, response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setTimeout(() => {
        underWay -= 1;
        well(_, response);
      }, 5);
    });
    const proxy = await startProxy(open);
    await ask(ci.origin, { proxy: proxy.address, concurrency: 2 }, 8);
    assert.equal(ci.got.length, 8);
    assert.equal(most, 2);
  });

  it('reaches a backend over TLS with a `ca` of its own', async function () {
    const certificate = makeCertificate();
    if (!certificate) {
      if (this.test) this.test.title += ' (there is no openssl to make a certificate with)';
      return this.skip(); // there is no openssl to make a certificate with
    }
    const server = createTlsServer(certificate, well);
    const origin = `https://127.0.0.1:${await listen(server)}`;
    open.push({ close: () => stop(server) });
    const proxy = await startProxy(open);
    assert.deepEqual(await ask(origin, { proxy: proxy.address, ca: certificate.cert }), [7]);
    assert.equal(proxy.used.length, 1);
    await assert.rejects(ask(origin, { proxy: proxy.address }), /cannot be reached/);
  });
});

function well(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end('7');
}

/** A proxy that forwards requests and opens tunnels; it remembers how each proved itself. */
async function startProxy(open: { close(): Promise<void> }[]) {
  const used: (string | undefined)[] = [];
  const tunnels = new Set<Duplex | Socket>();
  const server = createServer((request, response) => {
    used.push(request.headers['proxy-authorization']);
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = send(request.url ?? '', { method: request.method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on('connect', (request, client: Duplex) => {
    used.push(request.headers['proxy-authorization']);
    const [host, port] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(onward).pipe(client);
    });
    for (const end of [client, onward]) tunnels.add(end.on('error', () => {}));
  });
  const address = `http://127.0.0.1:${await listen(server)}`;
  open.push({
    async close() {
      for (const tunnel of tunnels) tunnel.destroy();
      await stop(server);
    },
  });
  return { address, used };
}
