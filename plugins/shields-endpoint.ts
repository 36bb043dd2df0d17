import { z } from 'zod';
import { type Outcome, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import { bearer, defineProvider, fillTemplate, httpUrl, maybe, pathTemplate, secret } from '../lib/providers/index.ts';

/** https://shields.io/badges/endpoint-badge */
const Badge = z.object({
  schemaVersion: z.literal(1),
  message: z.string().min(1),
  color: maybe(z.string()),
  isError: maybe(z.boolean()),
});

/** The words that shields knows of builds: services/build-status.js of https://github.com/badges/shields */
export const outcomes: OutcomeTable = {
  created: 'queued',
  initiated: 'queued',
  pending: 'queued',
  queued: 'queued',
  scheduled: 'queued',
  waiting: 'waiting',
  building: 'running',
  processing: 'running',
  running: 'running',
  starting: 'running',
  testing: 'running',
  fixed: 'passed',
  passed: 'passed',
  passing: 'passed',
  succeeded: 'passed',
  success: 'passed',
  successful: 'passed',
  'partially succeeded': 'warned',
  unstable: 'warned',
  broken: 'failed',
  error: 'failed',
  errored: 'failed',
  failed: 'failed',
  failing: 'failed',
  failure: 'failed',
  infrastructure_failure: 'failed',
  timeout: 'failed',
  aborted: 'cancelled',
  canceled: 'cancelled',
  cancelled: 'cancelled',
  expired: 'cancelled',
  stopped: 'cancelled',
  'no builds': 'skipped',
  'no tests': 'skipped',
  'not built': 'skipped',
  'not run': 'skipped',
  skipped: 'skipped',
};

/** What a colour says where the message is no word: the rest (blue, grey, hex) says nothing of good and bad. */
const COLORS: OutcomeTable = {
  brightgreen: 'passed',
  green: 'passed',
  success: 'passed',
  yellow: 'warned',
  orange: 'warned',
  important: 'warned',
  red: 'failed',
  critical: 'failed',
};

/** Documents made for the endpoint badge of shields.io. */
export default defineProvider({
  id: 'shields-endpoint',
  title: 'Shields endpoint',
  docs: 'https://shields.io/badges/endpoint-badge',
  words: { application: 'as `path` takes it', release: 'branch', build: 'none', execution: 'document' },
  filters: ['application', 'release', 'branch'],
  withoutApplication: true,
  notes: [
    'Without `path` every application means the one document at `url`. `path` may hold `{application}` and `{branch}`, and `{+application}` for one that keeps its slashes.',
    'The state is read from the word at the start of the message, else from a named colour. A document with `isError` speaks of no build: unknown.',
  ],
  options: z.strictObject({
    /** Address of the document, or what all documents have in common. */
    url: httpUrl(),
    /** The rest of the address, such as `{+application}/{branch}.json`. */
    path: pathTemplate().default(''),
    /** Sent as `Authorization: Bearer …`. */
    token: secret().optional(),
    /** Where the badge leads; by default to the document. */
    page: httpUrl().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { url, named } = fillTemplate(options.url, options.path, query);
    const badge = await upstream.json(url, Badge, { headers: bearer(options.token) });
    yield {
      outcome: toOutcome(badge),
      status: badge.message,
      application: query.application,
      branch: named.branch,
      pages: { build: options.page ?? url.href },
    };
  },
});

/** The longest known word that the message starts with, else the colour. */
function toOutcome({ message, color, isError }: z.infer<typeof Badge>): Outcome {
  if (isError) return 'unknown';
  const text = message.trim().toLowerCase();
  const words = Object.keys(outcomes).filter((word) => text.startsWith(word) && !/^\w/.test(text.slice(word.length)));
  const [longest] = words.sort((a, b) => b.length - a.length);
  return longest === undefined ? outcomeOf(COLORS, color?.toLowerCase()) : outcomeOf(outcomes, longest);
}
