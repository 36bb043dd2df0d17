import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  isSignedBy,
  maybe,
  paged,
  sameText,
  secret,
  type Webhook,
} from '../lib/providers/index.ts';

/** A deploy. https://open-api.netlify.com/#tag/deploy/operation/listSiteDeploys */
const Deploy = z.object({
  id: z.string(),
  site_id: z.string(),
  state: z.string(),
  error_message: maybe(z.string()),
  skipped: maybe(z.boolean()),
  context: maybe(z.string()),
  branch: maybe(z.string()),
  commit_ref: maybe(z.string()),
  admin_url: z.url(),
  created_at: instant,
  updated_at: instant,
  published_at: instant,
});
const Claims = z.object({ iss: z.string(), sha256: z.string() });

/** `state`, and two words of ours for an `error` that is none. https://open-api.netlify.com/#tag/deploy */
export const outcomes: OutcomeTable = {
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
};

/** Netlify deploys. */
export default defineProvider({
  id: 'netlify',
  title: 'Netlify',
  docs: 'https://open-api.netlify.com/',
  words: { application: 'site id or domain', release: 'git branch', build: 'deploy id', execution: 'deploy' },
  filters: ['application', 'applicationId', 'release', 'branch', 'commit', 'build', 'stage'],
  notes: [
    'Without branch, commit, id and stage the newest production deploy counts. `stage=` is a deploy context: `production`, `branch-deploy` or `deploy-preview`; a preview of a pull request counts only with its commit or id.',
    'Branch and production are filtered by the server; a commit and other stages by looking through the newest deploys. Deploys have no number: the last part of their web address is their id.',
    'Builds that Netlify or somebody cancelled are errors for the API; they are told apart by the text of the error.',
  ],
  options: z.strictObject({
    /** Root of the API, without `/api/v1`. */
    url: httpUrl().default('https://api.netlify.com'),
    /** Personal access token. */
    token: secret(),
  }),

  async *executions({ application, release, branch = release, commit, build, stage }, { options, upstream }) {
    const headers = bearer(options.token);
    const deploys = ['api', 'v1', 'sites', application, 'deploys'];
    if (build !== undefined) {
      const deploy = await upstream.json(endpoint(options.url, [...deploys, build]), Deploy, { headers });
      return yield toExecution(application, deploy);
    }
    const production = stage === 'production' || (branch ?? commit ?? stage) === undefined || undefined;
    const size = (commit ?? stage) === undefined ? 10 : 100;
    const pages = paged(size, (number) => {
      const page = number > 1 ? number : undefined;
      const url = endpoint(options.url, deploys, { branch, production, per_page: size, page });
      return upstream.json(url, z.array(Deploy), { headers });
    });
    for await (const deploy of pages) yield toExecution(application, deploy);
  },

  webhook: {
    verify: isSignedByNetlify,
    // A site has an id and several domains: which of them the queries use cannot be known.
    read: (_payload, { headers }) => (headers['x-netlify-event']?.startsWith('deploy_') ? {} : undefined),
  },
});

function toExecution(application: string, deploy: z.infer<typeof Deploy>): Execution {
  const status = statusOf(deploy);
  const page = (...segments: string[]) => endpoint(deploy.admin_url, segments).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    applicationId: deploy.site_id,
    branch: deploy.branch,
    commit: deploy.commit_ref,
    build: deploy.id,
    id: deploy.id,
    stage: deploy.context,
    pullRequest: deploy.context === 'deploy-preview',
    queuedAt: deploy.created_at,
    finishedAt: deploy.state === 'error' ? deploy.updated_at : deploy.published_at,
    pages: { build: page('deploys', deploy.id), release: page('deploys'), application: deploy.admin_url },
  };
}

/** https://docs.netlify.com/configure-builds/ignore-builds/: no change of content is an error with a message. */
function statusOf({ state, skipped, error_message = '' }: z.infer<typeof Deploy>): string {
  if (skipped || /no content change|^skipped/i.test(error_message)) return 'skipped';
  return state === 'error' && /^canceled build/i.test(error_message) ? 'canceled' : state;
}

/** A JWS with HS256, whatever it says of itself. https://docs.netlify.com/deploy/deploy-notifications/#payload-signature */
function isSignedByNetlify(...[{ headers, body }, key]: Parameters<Webhook['verify']>): boolean {
  const [head, claims = '', signature = ''] = headers['x-webhook-signature']?.split('.') ?? [];
  const hex = Buffer.from(signature, 'base64url').toString('hex');
  if (!isSignedBy(key, Buffer.from(`${head}.${claims}`), hex)) return false;
  const { iss, sha256 } = Claims.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()));
  return iss === 'netlify' && sameText(sha256, createHash('sha256').update(body).digest('hex'));
}
