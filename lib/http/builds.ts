import express, { type Router } from 'express';
import { z } from 'zod';
import type { Access } from '../access/index.ts';
import { type Argument, STATES } from '../builds/index.ts';
import { BadRequest } from '../providers/index.ts';
import type { ReportedBuild } from '../storage/index.ts';
import { argumentsOfBody, bodyOf, keyOf, queryArguments, readBody } from './arguments.ts';
import { allowOnly } from './methods.ts';

const Text = z.string().trim().min(1).max(256);
const Value = z
  .union([z.string(), z.number(), z.boolean()], { error: 'a text, a number, true or false was wanted' })
  .transform(String)
  .refine((text) => text.length <= 1024, { error: '1024 characters are the most' });
/** Beyond this a date is none. */
const LATEST_MS = 8_640_000_000_000_000;
const Instant = z
  .union([z.iso.datetime({ offset: true }), z.number().int().positive().max(LATEST_MS)])
  .transform((at) => new Date(at));
const Address = z.url({ protocol: /^https?$/, error: 'an address that starts with http:// or https:// was wanted' });
const PageAddresses = z.strictObject({
  build: Address.optional(),
  release: Address.optional(),
  application: Address.optional(),
  execution: Address.optional(),
});

const Report = z.strictObject({
  application: Text,
  build: z.union([Text, z.number().int().transform(String)]),
  state: z.enum(STATES),
  status: Text.optional(),
  release: Text.optional(),
  branch: Text.optional(),
  commit: z
    .string()
    .regex(/^[0-9a-fA-F]{7,64}$/, '7 to 64 hexadecimal digits were wanted')
    .optional(),
  tag: Text.optional(),
  variables: z.record(z.string().max(128), Value).optional(),
  pages: PageAddresses.optional(),
  startedAt: Instant.optional(),
  finishedAt: Instant.optional(),
});

/** `POST /api/builds`: a CI job reports its own state to the source `push`. */
export function buildsRouter(access: Access, report: (build: ReportedBuild) => Promise<void>): Router {
  const router = express.Router();
  router.all('/api/builds', allowOnly('POST'), readBody, async (request, response) => {
    const query = queryArguments(request.originalUrl);
    const body = argumentsOfBody(request);
    const grant = access.authorize(keyOf(request.headers, query, body).text, 'push');
    response.set('Cache-Control', 'no-store');
    if (!grant?.mayAsk('push')) {
      response
        .status(403)
        .json({ message: 'An API key with the scope push is needed, for example in the header X-ApiKey' });
      return;
    }
    const build = parseReport(readReport(request, [...query, ...body]));
    if (!grant.mayShow(build.application)) {
      response.status(403).json({ message: `The API key may not report builds of ${build.application}` });
      return;
    }
    await report(build);
    response.status(201).json({ application: build.application, build: build.build, state: build.state });
  });
  return router;
}

/** A JSON body as it stands; a form with `variables[Name]` and `pages[build]` for what is nested. The key is no part of it. */
function readReport(request: express.Request, args: readonly Argument[]): unknown {
  const body = bodyOf(request);
  if (body.kind === 'json') return withoutKey(body.value);
  const report: Record<string, unknown> = {};
  for (const [name, value] of args) {
    const [, outer, inner] = /^(variables|pages)\[(\w+)\]$/.exec(name) ?? [];
    if (outer && inner) report[outer] = { ...(report[outer] as object | undefined), [inner]: value };
    else report[name] = value;
  }
  return withoutKey(report);
}

function withoutKey(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !['key', 'api_key'].includes(name.toLowerCase())));
}

function parseReport(value: unknown): ReportedBuild {
  const result = Report.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  );
  throw new BadRequest(problems.join('; '));
}
