import assert from 'node:assert/strict';
import { subject } from '../../fixtures/netlify/case.ts';
import { Secret } from '../../lib/providers/index.ts';
import { describeOutcomes, describeProvider, readFixture } from '../../lib/providers/testing.ts';
import netlify, { outcomes } from '../../plugins/netlify.ts';

describeProvider(subject);
describeOutcomes(outcomes, {
  new: 'queued',
  pending_review: 'waiting',
  accepted: 'queued',
  enqueued: 'queued',
  building: 'running',
  uploading: 'running',
  uploaded: 'running',
  preparing: 'running',
  prepared: 'running',
  processing: 'running',
  processed: 'running',
  retrying: 'running',
  ready: 'passed',
  error: 'failed',
  rejected: 'failed',
  canceled: 'cancelled',
  skipped: 'skipped',
});

describe('provider netlify, signatures', () => {
  // Recorded with its delivery; the key is a made-up one of the project that recorded it.
  const jws =
    'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJuZXRsaWZ5Iiwic2hhMjU2IjoiM2Q5ZWNhMzFhN2UyMjA4ZWU0YzZmOTcxMDFlMzljNDc1M2FmNDVlNWE2YTQzNDYxMTU3N2UyZDkyOWIwNjIzNSJ9.MdlUcFNbHw2cyS_N4iWy03d3ACOSlibLFhAYf2Rj2TM';
  const key = new Secret('partyordiepartyordiepartyordieok');
  const body = Buffer.from(readFixture('netlify', 'webhook-deploy-ready-signed.json'));
  const verify = (signature: string, of = body) =>
    netlify.webhook?.verify({ headers: { 'x-webhook-signature': signature }, query: {}, body: of }, key);

  it('believes a recorded signature', () => assert.equal(verify(jws), true));

  it('does not believe it with another body', () => assert.equal(verify(jws, Buffer.from(`${body} `)), false));

  it('does not believe a signature that says it needs none, nor a part of one', () => {
    const [, claims] = jws.split('.');
    const none = Buffer.from(JSON.stringify({ typ: 'JWT', alg: 'none' })).toString('base64url');
    for (const forged of [`${none}.${claims}.`, `${none}.${claims}`, 'a.b.c', '..', '']) {
      assert.equal(verify(forged), false, forged);
    }
  });
});
