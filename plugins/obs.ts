import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  basic,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfSeconds,
  secret,
  splitName,
} from '../lib/providers/index.ts';

const seconds = z.coerce
  .number()
  .transform((value) => instantOfSeconds.parse(value))
  .optional();
/** The state of a package now. https://api.opensuse.org/apidocs/#/Build */
const Status = z.object({ status: z.object({ code: z.string() }) });
const Job = z.object({
  package: z.string(),
  code: z.string(),
  versrel: z.string(),
  bcnt: z.string(),
  readytime: seconds,
  starttime: seconds,
  endtime: seconds,
});
/** Finished builds, oldest first. */
const History = z.object({ jobhistlist: z.object({ jobhist: z.array(Job) }).or(z.literal('')) });

/** https://github.com/openSUSE/open-build-service/wiki/Build-Results */
export const outcomes: OutcomeTable = {
  scheduled: 'queued',
  dispatching: 'queued',
  blocked: 'waiting', // for other packages
  building: 'running',
  signing: 'running',
  finished: 'running', // built, well or badly: the scheduler has not yet looked
  succeeded: 'passed',
  unchanged: 'passed', // built well, and the same as before
  failed: 'failed',
  unresolvable: 'failed', // lacks something to build with
  broken: 'failed', // has no sources that can be built
  disabled: 'skipped',
  excluded: 'skipped',
  locked: 'skipped',
  unknown: 'unknown', // new to the scheduler, or a flavor that there is not
};

/** Open Build Service, on build.opensuse.org and elsewhere. */
export default defineProvider({
  id: 'obs',
  title: 'Open Build Service',
  docs: 'https://api.opensuse.org/apidocs/',
  words: {
    application: 'project/package/repository/architecture',
    release: 'repository',
    build: 'version-release.count, as in the name of a package file',
    execution: 'job',
  },
  filters: ['application', 'release', 'build'],
  notes: [
    'The state now costs one request. Finished jobs are asked for only when a build number, `finished=1` or a package that is not built makes it necessary: the newest 100.',
    'A flavor of a multibuild package is named `package:flavor`. Without a user the public part of the API is asked.',
  ],
  options: z.strictObject({
    /** Root of the API. */
    url: httpUrl().default('https://api.opensuse.org'),
    /** User name. Public projects need none where the server lets anonymous visitors in. */
    user: z.string().optional(),
    /** Password of the user. */
    password: secret().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { url, user, password } = options;
    const names = splitName(query.application, 'project/package/repository/architecture');
    const [project = '', name = '', repository = '', architecture = ''] = names;
    const target = [...(user === undefined ? ['public'] : []), 'build', project, repository, architecture];
    const parse = await xmlParser();
    const headers = { accept: 'application/xml', ...basic(user, password) };
    if (query.build === undefined) {
      const { status } = await upstream.parsed(endpoint(url, [...target, name, '_status']), parse, Status, { headers });
      yield toExecution(url, names, status.code);
    }
    const history = endpoint(url, [...target, '_jobhistory'], { package: name, limit: 100 });
    const { jobhistlist } = await upstream.parsed(history, parse, History, { headers });
    for (const job of jobhistlist === '' ? [] : jobhistlist.jobhist.toReversed()) {
      if (job.package === name) yield toExecution(url, names, job.code, job);
    }
  },
});

function toExecution(url: string, names: string[], code: string, job?: z.infer<typeof Job>): Execution {
  const [project = '', name = '', repository = '', architecture = ''] = names;
  // openSUSE has its pages on another host than its API; elsewhere the `webUrl` of a source says so.
  const web = url.replace('//api.opensuse.org', '//build.opensuse.org');
  return {
    outcome: outcomeOf(outcomes, code),
    status: code,
    application: names.join('/'),
    release: repository,
    build: job && `${job.versrel}.${job.bcnt}`,
    queuedAt: job?.readytime,
    startedAt: job?.starttime,
    finishedAt: job?.endtime,
    pages: {
      build: endpoint(web, ['package', 'live_build_log', project, name, repository, architecture]).href,
      release: endpoint(web, ['projects', project, 'packages', name, 'repositories', repository, 'binaries']).href,
      application: endpoint(web, ['package', 'show', project, name]).href,
    },
  };
}

const isArray = (name: string) => name === 'jobhist';
/** Reads XML; loaded when it is first wanted, for it is slow to load. */
async function xmlParser(): Promise<(text: string) => unknown> {
  const { XMLParser } = await import('fast-xml-parser');
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', isArray });
  return (text) => parser.parse(text);
}
