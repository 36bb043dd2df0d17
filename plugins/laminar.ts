import { z } from 'zod';
import { type Execution, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import { basic, defineProvider, endpoint, httpUrl, instantOfSeconds, maybe, secret } from '../lib/providers/index.ts';

const Run = z.object({
  result: maybe(z.string()), // of a run that there is not, nothing is told
  queued: instantOfSeconds,
  started: instantOfSeconds,
  completed: instantOfSeconds,
});
const NumberedRun = Run.extend({ number: z.number() });
const Runs = z.array(NumberedRun);
/** The first event of the page of a run and of a job. https://github.com/ohwgiles/laminar/blob/master/src/laminar.cpp */
const RunPage = z.object({ data: Run });
const JobPage = z.object({ data: z.object({ queued: Runs, running: Runs, recent: Runs }) });

/** https://github.com/ohwgiles/laminar/blob/master/src/run.cpp */
export const outcomes: OutcomeTable = {
  queued: 'queued',
  running: 'running',
  success: 'passed',
  failed: 'failed',
  aborted: 'cancelled',
};

/** Laminar. */
export default defineProvider({
  id: 'laminar',
  title: 'Laminar',
  docs: 'https://laminar.ohwg.net/docs.html',
  words: { application: 'job', release: 'none', build: 'run number', execution: 'run' },
  filters: ['application', 'build'],
  notes: ['One request. Laminar tells nothing of branch, commit or parameters: use a job for each branch.'],
  options: z.strictObject({
    /** Root of the server, with its path prefix if it has one. */
    url: httpUrl(),
    /** User name for a proxy in front: Laminar itself asks for none. */
    user: z.string().optional(),
    /** Password of the user. */
    password: secret().optional(),
  }),

  async *executions({ application, build }, { options, upstream }) {
    const { url, user, password } = options;
    // The pages are event streams, which never end: all that is wanted is their first event.
    const init = {
      headers: { accept: 'text/event-stream', ...basic(user, password) },
      until: '\n\n',
      unwrap: firstEvent,
    };
    const job = ['jobs', application];
    if (build === undefined) {
      const { data } = await upstream.json(endpoint(url, job), JobPage, init);
      const runs = [...data.queued, ...data.running, ...data.recent].sort((a, b) => b.number - a.number);
      for (const run of runs) yield toExecution(application, url, run);
    } else if (/^\d+$/.test(build)) {
      const { data } = await upstream.json(endpoint(url, [...job, build]), RunPage, init);
      if (data.result !== undefined) yield toExecution(application, url, { ...data, number: Number(build) });
    }
  },
});

function firstEvent(stream: string): string {
  return /^data: (.*)$/m.exec(stream)?.[1] ?? '';
}

function toExecution(application: string, url: string, run: z.infer<typeof NumberedRun>): Execution {
  const { number, result = '' } = run;
  const page = endpoint(url, ['jobs', application, number]).href;
  return {
    outcome: outcomeOf(outcomes, result),
    status: result,
    application,
    build: String(number),
    id: String(number),
    queuedAt: run.queued,
    startedAt: run.started,
    finishedAt: run.completed,
    pages: { build: page, execution: page, application: endpoint(url, ['jobs', application]).href },
  };
}
