import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import nock from 'nock';
import { z } from 'zod';
import { createUpstream, UpstreamError, type UpstreamSettings } from '../../lib/providers/index.ts';
import { type Certificate, makeCertificate } from '../certificate.ts';
import { listen, stop } from '../server.ts';

describe('upstream over TLS with a certificate that nobody knows', () => {
  const usual = getCACertificates('default');
  const open: (() => Promise<void>)[] = [];
  let certificate: Certificate;
  let other: Certificate;

  before(function () {
    const [one, two] = [makeCertificate(), makeCertificate()];
    if (!one || !two) {
      this.test?.parent?.tests.forEach((test) => {
        test.title += ' (there is no openssl to make a certificate with)';
      });
      this.skip(); // there is no openssl to make a certificate with
    } else {
      [certificate, other] = [one, two];
    }
    nock.enableNetConnect();
  });
  afterEach(() => Promise.all(open.splice(0).map((close) => close())));

  async function ask(settings: Partial<UpstreamSettings>): Promise<unknown> {
    const server = createServer(certificate, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('7');
    });
    const origin = `https://127.0.0.1:${await listen(server)}`;
    const upstream = createUpstream({ origin, userAgent: 'signalbox/test', ...settings });
    open.push(
      () => upstream.close(),
      () => stop(server),
    );
    return upstream.json(new URL(origin), z.number());
  }

  it('is not trusted', () => assert.rejects(ask({}), (error: unknown) => isDistrust(error)));
  it('is trusted with `ca`', async () => assert.equal(await ask({ ca: certificate.cert }), 7));
  it('is trusted with several certificates in `ca`', async () => {
    assert.equal(await ask({ ca: `${other.cert}\n${certificate.cert}` }), 7);
  });
  it('is trusted with `insecure`', async () => assert.equal(await ask({ insecure: true }), 7));
  it('is not trusted with the certificate of another', () => {
    return assert.rejects(ask({ ca: other.cert }), (error: unknown) => isDistrust(error));
  });

  it('`ca` is trusted beside the usual ones', async () => {
    setDefaultCACertificates([...usual, certificate.cert]);
    try {
      assert.equal(await ask({ ca: other.cert }), 7);
    } finally {
      setDefaultCACertificates(usual);
    }
  });

  function isDistrust(error: unknown): boolean {
    assert.ok(error instanceof UpstreamError);
    assert.match(error.message, /cannot be reached \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    return true;
  }
});
