import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf, refOf } from '../lib/builds/index.ts';
import {
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instant,
  maybe,
  type ProviderQuery,
  sameText,
  secret,
} from '../lib/providers/index.ts';

const Revision = z.object({ version: z.string(), vcsBranchName: maybe(z.string()) });
const Property = z.object({ name: z.string(), value: maybe(z.string()) });
/** `20181201T232455+0200`, which JavaScript reads only with its dashes and colons. */
const compactInstant = z.preprocess(
  (text) => String(text ?? '').replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'),
  instant,
);
/** https://www.jetbrains.com/help/teamcity/rest/build.html */
const Build = z.object({
  id: z.number(),
  buildTypeId: maybe(z.string()),
  number: maybe(z.string()),
  state: z.string(),
  status: maybe(z.string()),
  canceledInfo: maybe(z.unknown()),
  branchName: maybe(z.string()),
  revisions: maybe(z.object({ revision: maybe(z.array(Revision)) })),
  resultingProperties: maybe(z.object({ property: maybe(z.array(Property)) })),
  queuedDate: compactInstant,
  startDate: compactInstant,
  finishDate: compactInstant,
});
const Builds = z.object({ build: maybe(z.array(Build)) });
const Delivery = z.object({ payload: z.object({ buildTypeId: maybe(z.string()) }) });

const FIELDS = `id,buildTypeId,number,state,status,canceledInfo(timestamp),branchName,queuedDate,startDate,finishDate,\
revisions(revision(version,vcsBranchName))`;

/** `state`, or `status` of a finished build. https://www.jetbrains.com/help/teamcity/rest/build.html */
export const outcomes: OutcomeTable = {
  queued: 'queued',
  running: 'running', // also while it is being cancelled
  SUCCESS: 'passed',
  FAILURE: 'failed',
  ERROR: 'failed',
  CANCELED: 'cancelled', // our word for `canceledInfo`: the status is then UNKNOWN
};

/** JetBrains TeamCity. */
export default defineProvider({
  id: 'teamcity',
  title: 'TeamCity',
  docs: 'https://www.jetbrains.com/help/teamcity/rest/buildlocator.html',
  words: { application: 'build configuration id', release: 'branch', build: 'build number', execution: 'build' },
  filters: ['application', 'applicationId', 'release', 'branch', 'tag', 'commit', 'build', 'variables'],
  notes: [
    'The server evaluates every filter, among its newest 5000 builds. A branch has the name that TeamCity shows; personal builds never count.',
    '`$Name` variables are the parameters that a build ended up with. A ref that no build has costs a second request.',
  ],
  options: z.strictObject({
    /** Root of the server, with its path prefix if it has one. */
    url: httpUrl(),
    /** Access token with the permission "View project". Without one the guest user is asked, if the server has one. */
    token: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const api = [...(options.token ? [] : ['guestAuth']), 'app', 'rest', 'builds'];
    const fields = `build(${FIELDS}${query.variables ? ',resultingProperties(property(name,value))' : ''})`;
    for (const branch of branchesOf(query)) {
      const url = endpoint(options.url, api, { locator: locatorOf(query, branch), fields });
      const { build: builds = [] } = await upstream.json(url, Builds, { headers: bearer(options.token) });
      for (const build of builds) yield toExecution(query, options.url, build);
      if (builds.length > 0) return;
    }
  },

  // https://www.jetbrains.com/help/teamcity/teamcity-webhooks.html: not signed, but sent with a user name and a password
  webhook: {
    verify: ({ headers }, key) => sameText(passwordOf(headers.authorization), key.reveal()),
    read: (payload) => ({ application: Delivery.parse(payload).payload.buildTypeId }),
  },
});

/** Builds of a configuration without branches have none of their own, only the ref that their VCS root names. */
function branchesOf(query: ProviderQuery): string[] {
  const ref = refOf(query);
  if (ref !== undefined) return [`name:(value:${quote(ref)})`, 'default:true'];
  return query.commit === undefined && query.build === undefined ? ['default:true'] : ['default:any'];
}

/** Without `defaultFilter:false` builds that wait, run or were cancelled are hidden, and other branches. */
function locatorOf({ application, build, commit, variables = {} }: ProviderQuery, branch: string): string {
  return [
    `defaultFilter:false,personal:false,count:25,buildType:(id:${quote(application)}),branch:(${branch})`,
    ...(build === undefined ? [] : [`number:(value:${quote(build)})`]),
    ...(commit === undefined ? [] : [`revision:(version:(value:${quote(commit)},matchType:starts-with))`]),
    ...Object.entries(variables).map(
      ([name, value]) => `property:(name:(value:${quote(name)},ignoreCase:true),value:${quote(value)})`,
    ),
  ].join();
}

/** A value that could be read as more locator is coded. https://www.jetbrains.com/help/teamcity/rest/locators.html */
function quote(value: string): string {
  return /^[\w./-]+$/.test(value) ? value : `($base64:${Buffer.from(value).toString('base64url')})`;
}

function toExecution(
  { application, commit = '' }: ProviderQuery,
  url: string,
  build: z.infer<typeof Build>,
): Execution {
  const { id, state, branchName, canceledInfo, buildTypeId = application } = build;
  const status = state === 'finished' ? ((canceledInfo ? 'CANCELED' : build.status) ?? 'UNKNOWN') : state;
  const revisions = build.revisions?.revision ?? [];
  const revision = revisions.find(({ version }) => version.startsWith(commit)) ?? revisions[0];
  const vcs = revision?.vcsBranchName;
  const ref = branchName && branchName !== '<default>' ? branchName : vcs?.replace(/^refs\/(heads|tags)\//, '');
  const page = (names: string[], query: Record<string, string | number>) => endpoint(url, names, query).href;
  const log = page(['viewLog.html'], { buildId: id, buildTypeId });
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application,
    applicationId: build.buildTypeId,
    [vcs === undefined ? 'release' : vcs.startsWith('refs/tags/') ? 'tag' : 'branch']: ref,
    commit: revision?.version,
    build: build.number,
    id: String(id),
    variables: Object.fromEntries(
      (build.resultingProperties?.property ?? []).map(({ name, value = '' }) => [name, value]),
    ),
    queuedAt: build.queuedDate,
    startedAt: build.startDate,
    finishedAt: build.finishDate,
    pages: {
      build: state === 'queued' ? page(['viewQueued.html'], { itemId: id }) : log,
      execution: state === 'queued' ? undefined : `${log}&tab=buildLog`,
      application: page(['viewType.html'], { buildTypeId }),
      release: ref && page(['buildConfiguration', buildTypeId], { branch: ref }),
    },
  };
}

function passwordOf(authorization = ''): string {
  return Buffer.from(authorization.replace(/^Basic /i, ''), 'base64')
    .toString()
    .replace(/^[^:]*:/, '');
}
