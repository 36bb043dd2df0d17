import { z } from 'zod';
import { type OutcomeTable, outcomeOf, PAGES } from '../lib/builds/index.ts';
import {
  defineProvider,
  endpoint,
  httpUrl,
  secret,
  type TextAnswer,
  tokenHeader,
  UpstreamError,
  UpstreamRefused,
} from '../lib/providers/index.ts';

/** The words of the six images but `unknown`, which says that no build matched. */
export const outcomes: OutcomeTable = {
  success: 'passed',
  pending: 'queued',
  running: 'running',
  warning: 'warned',
  error: 'failed',
};

/** What the right-hand side of BuildMaster’s images is filled with; the lettering is drawn, not written. */
const COLORS: readonly (readonly [RegExp, string])[] = [
  [/#499e8d/i, 'success'],
  [/viewBox="0 0 299 56"[\s\S]*#48729d/i, 'pending'], // the same blue as running, and a longer word
  [/#48729d/i, 'running'],
  [/#ee9d66/i, 'warning'],
  [/#de5948/i, 'error'],
  [/#a6adb6/i, 'unknown'],
];

/** The CI badge API of BuildMaster, or of another Signalbox: the state is read from the image. */
export default defineProvider({
  id: 'buildmaster-badges',
  title: 'CI badge API (BuildMaster, Signalbox)',
  docs: 'https://docs.inedo.com/docs/buildmaster/reference/api/buildmaster-ci-cd-continuous-integration-server-badges',
  words: { application: 'application', release: 'release number', build: 'build number', execution: 'execution' },
  filters: ['application', 'applicationId', 'release', 'build', 'variables'],
  withoutApplication: true,
  notes: [
    'One request. BuildMaster evaluates every filter itself, `$Branch`, `$Tag`, `$GitCommit` and other variables in the context of a build too; it tells the state and nothing else.',
    'Links lead to the link endpoint only with a `publicKey`, which they show to everybody; else to the root.',
  ],
  options: z.strictObject({
    /** Root of the server. */
    url: httpUrl(),
    /** API key with CI Badges. It is sent as a header and never shown. */
    token: secret().optional(),
    /** An API key with nothing but CI Badges, that may be seen in links. */
    publicKey: z.string().min(1).optional(),
  }),

  async *executions(query, { options: { url, token, publicKey }, upstream }) {
    const { application, applicationId, release, build, variables } = query;
    const filters = {
      $ApplicationName: application === applicationId ? undefined : application || undefined,
      $ApplicationId: applicationId,
      $ReleaseNumber: release,
      $BuildNumber: build,
      ...Object.fromEntries(Object.entries(variables ?? {}).map(([name, value]) => [`$${name}`, value])),
    };
    const headers = { ...tokenHeader('x-apikey', token), accept: 'image/svg+xml' };
    const image = endpoint(url, ['api', 'ci-badges', 'image'], { ...filters, finished: query.finished });
    const status = stateOf(await upstream.text(image, { headers }));
    if (status === 'unknown') return;
    const link = (page: string) =>
      endpoint(url, ['api', 'ci-badges', 'link'], { key: publicKey, ...filters, page }).href;
    const pages = publicKey ? Object.fromEntries(PAGES.map((page) => [page, link(page)])) : { build: url };
    const asked = { application, applicationId, release, build, variables };
    yield { outcome: outcomeOf(outcomes, status), status, ...asked, pages };
  },
});

/** A Signalbox tells the state in a header and, as some of BuildMaster’s images do, in the title. */
function stateOf({ text, headers }: TextAnswer): string {
  if (/^text\/html/i.test(String(headers['content-type']))) throw new UpstreamRefused('a web page came for a badge');
  const { 'badge-state': told, 'badge-reason': reason = '' } = headers;
  if (told === 'unknown' && /^(upstream|timeout|internal)/.test(String(reason))) {
    throw new UpstreamError(`the other Signalbox could not tell: ${reason}`);
  }
  const titled = /<title>(?:[^<]*: )?(success|pending|running|warning|error|unknown)\b/.exec(text)?.[1];
  const state = told ?? titled ?? COLORS.find(([color]) => color.test(text))?.[1];
  if (!state) throw new UpstreamError('what came is none of the six badges');
  return String(state);
}
