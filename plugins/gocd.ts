import { z } from 'zod';
import { type Execution, type Outcome, type OutcomeTable, outcomeOf } from '../lib/builds/index.ts';
import {
  basic,
  bearer,
  defineProvider,
  endpoint,
  httpUrl,
  instantOfMs,
  label,
  maybe,
  type ProviderQuery,
  secret,
} from '../lib/providers/index.ts';

const Job = z.object({ name: z.string(), state: maybe(z.string()), result: maybe(z.string()) });
const Stage = z.object({
  name: z.string(),
  counter: maybe(label),
  scheduled: maybe(z.boolean()),
  status: maybe(z.string()),
  result: maybe(z.string()),
  jobs: z.array(Job),
});
const Material = z.object({
  material: z.object({ description: maybe(z.string()) }),
  modifications: z.array(z.object({ revision: z.string() })),
});
/** https://api.gocd.org/current/#the-pipeline-instance-object */
const Pipeline = z.object({
  name: z.string(),
  counter: z.number(),
  label: z.string(),
  scheduled_date: instantOfMs,
  build_cause: z.object({ material_revisions: z.array(Material) }),
  stages: z.array(Stage),
});
const History = z.object({
  pipelines: z.array(Pipeline),
  _links: maybe(z.object({ next: maybe(z.object({ href: z.url() })) })),
});

/**
 * What a stage and a job may be: the lists `StageState` and `JobState` in
 * https://github.com/gocd/gocd/tree/master/domain/src/main/java/com/thoughtworks/go/domain
 */
export const outcomes: OutcomeTable = {
  preparing_to_schedule: 'queued', // also our word for a pipeline of which nothing is scheduled yet
  Scheduled: 'queued',
  Assigned: 'queued',
  Rescheduled: 'queued',
  Waiting: 'waiting',
  Paused: 'waiting',
  Preparing: 'running',
  Building: 'running',
  Failing: 'running',
  Completing: 'running',
  Passed: 'passed',
  Failed: 'failed',
  Cancelled: 'cancelled',
  Discontinued: 'cancelled',
};

const UNDER_WAY: readonly Outcome[] = ['running', 'queued', 'waiting'];
/** From the weightiest: one stage that is under way, or went wrong, says it of the whole pipeline. */
const WEIGHTS: readonly Outcome[] = [...UNDER_WAY, 'failed', 'cancelled', 'unknown', 'passed'];

/** GoCD. */
export default defineProvider({
  id: 'gocd',
  title: 'GoCD',
  docs: 'https://api.gocd.org/current/#pipeline-instances',
  words: {
    application: 'pipeline',
    release: 'branch of a git material',
    build: 'pipeline counter, or its label',
    execution: 'pipeline instance',
  },
  filters: ['application', 'release', 'branch', 'commit', 'build', 'stage', 'job'],
  notes: [
    'A counter is asked for; every other filter is looked for among the newest instances. `stage=` and `job=` show the state of that stage or job.',
    'A pipeline passed when all stages that were scheduled passed: one that waits behind a manual gate does not matter.',
  ],
  options: z.strictObject({
    /** Root of the server, without `/go`. */
    url: httpUrl(),
    /** Access token, or the password of `user`. */
    token: secret().optional(),
    /** User name, where `token` is a password. */
    user: z.string().optional(),
  }),

  async *executions(query, { options, upstream }) {
    const { url, user, token } = options;
    // Without a version the server answers with whatever is newest, or with an error page.
    const accept = 'application/vnd.go.cd.v1+json';
    const headers = { accept, ...(user === undefined ? bearer(token) : basic(user, token)) };
    const pipeline = ['go', 'api', 'pipelines', query.application];
    if (query.build && /^\d+$/.test(query.build)) {
      const instance = await upstream.json(endpoint(url, [...pipeline, query.build]), Pipeline, { headers });
      yield toExecution(query, url, instance);
      return;
    }
    const scans = query.build ?? query.release ?? query.branch ?? query.commit;
    let after: string | undefined;
    do {
      const page = endpoint(url, [...pipeline, 'history'], { page_size: scans ? 100 : 10, after });
      const { pipelines, _links } = await upstream.json(page, History, { headers });
      for (const instance of pipelines) yield toExecution(query, url, instance);
      after = _links?.next && (new URL(_links.next.href).searchParams.get('after') ?? undefined);
    } while (after !== undefined);
  },
});

function toExecution(query: ProviderQuery, url: string, pipeline: z.infer<typeof Pipeline>): Execution {
  const { name, counter } = pipeline;
  const stages = pipeline.stages.filter(
    (stage) => stage.scheduled !== false && stage.name === (query.stage ?? stage.name),
  );
  const jobs = stages.flatMap((stage) => stage.jobs).filter((job) => job.name === query.job);
  const words = query.job === undefined ? stages.map(wordOfStage) : jobs.map(wordOfJob);
  const status = weightiest(words);
  const decisive = stages[words.indexOf(status)] ?? stages.at(-1);
  const commits = pipeline.build_cause.material_revisions.flatMap(({ material, modifications: [newest] }) => {
    const branch = /, Branch: (.+)$/.exec(material.description ?? '')?.[1];
    return branch && newest ? [{ branch, commit: newest.revision }] : [];
  });
  const page = (...names: (string | number)[]) => endpoint(url, ['go', ...names]).href;
  return {
    outcome: outcomeOf(outcomes, status),
    status,
    application: name,
    ...(commits.find(({ commit }) => commit.startsWith(query.commit ?? '')) ?? commits[0]),
    build: query.build === pipeline.label ? pipeline.label : String(counter),
    id: String(counter),
    stage: query.stage && (stages[0]?.name ?? ''),
    job: query.job && (jobs[0]?.name ?? ''),
    queuedAt: pipeline.scheduled_date,
    pages: {
      build: page('pipelines', 'value_stream_map', name, counter),
      execution: decisive?.counter && page('pipelines', name, counter, decisive.name, decisive.counter),
      application: page('pipeline', 'activity', name),
    },
  };
}

function wordOfJob({ state, result }: z.infer<typeof Job>): string {
  return (state === 'Completed' ? result : state) ?? 'Unknown';
}

/** Older servers tell only `result`, which is Unknown until the stage has ended. */
function wordOfStage({ status, result, jobs }: z.infer<typeof Stage>): string {
  const word = weightiest(jobs.map(wordOfJob));
  return UNDER_WAY.includes(outcomeOf(outcomes, word)) ? word : (status ?? result ?? word);
}

/** Between two jobs or stages a pipeline is under way, although nothing of it is. */
function weightiest(words: readonly string[]): string {
  const outcome = (word: string) => outcomeOf(outcomes, word);
  const [word = 'preparing_to_schedule'] = words.toSorted(
    (a, b) => WEIGHTS.indexOf(outcome(a)) - WEIGHTS.indexOf(outcome(b)),
  );
  return outcome(word) === 'queued' && words.some((other) => outcome(other) !== 'queued') ? 'Building' : word;
}
