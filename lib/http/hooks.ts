import express, { type Request, type Router } from 'express';
import { ZodError } from 'zod';
import { BadRequest, type Change, type Secret, type Webhook, type WebhookRequest } from '../providers/index.ts';
import { bodyOf, queryArguments, readBody } from './arguments.ts';
import { allowOnly } from './methods.ts';

/** A source that takes webhooks, and the secret that they prove themselves with. */
export interface Hook {
  readonly webhook: Webhook;
  readonly secret: Secret;
}

/**
 * `POST /hooks/<source>`: the backend says that a build changed. A hook is a hint: what is known becomes stale, and the
 * next request asks.
 */
export function hooksRouter(
  hookOf: (source: string) => Hook | undefined,
  changed: (source: string, change: Change) => Promise<void>,
): Router {
  const router = express.Router();
  router.all('/hooks/:source', allowOnly('POST'), readBody, async (request: Request<{ source: string }>, response) => {
    const { source } = request.params;
    response.set('Cache-Control', 'no-store');
    const hook = hookOf(source);
    if (!hook) {
      response.status(404).json({ message: 'no source of that name takes webhooks: it needs a `webhookSecret`' });
      return;
    }
    const given = toWebhookRequest(request);
    if (!hook.webhook.verify(given, hook.secret)) {
      response.status(403).json({ message: 'the request does not prove that it knows the secret of this hook' });
      return;
    }
    const change = readChange(hook.webhook, request, given);
    if (change) await changed(source, change);
    response.status(202).json({ message: change ? 'noted' : 'nothing here is about builds' });
  });
  return router;
}

function toWebhookRequest(request: Request<{ source: string }>): WebhookRequest {
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value[0] : value,
  ]);
  const body: unknown = request.body;
  return {
    headers: Object.fromEntries(headers),
    query: Object.fromEntries(queryArguments(request.originalUrl)),
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
  };
}

function readChange(webhook: Webhook, request: Request<{ source: string }>, given: WebhookRequest): Change | undefined {
  try {
    return webhook.read(payloadOf(request), given);
  } catch (error) {
    if (error instanceof ZodError) throw new BadRequest('the payload is not one of this kind of backend');
    throw error;
  }
}

/** JSON, or, as some backends send it, JSON in the field `payload` of a form. */
function payloadOf(request: Request<{ source: string }>): unknown {
  const body = bodyOf(request);
  if (body.kind === 'json') return body.value;
  const payload = body.kind === 'form' ? body.pairs.find(([name]) => name === 'payload')?.[1] : undefined;
  try {
    return JSON.parse(payload ?? '');
  } catch {
    throw new BadRequest('the payload is no JSON');
  }
}
