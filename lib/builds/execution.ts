import type { Outcome } from './state.ts';

/** Web pages about an execution: absolute http(s) addresses, as a reader's browser reaches them. */
export interface Pages {
  /** Every provider gives this one; only a reported build may lack it. */
  readonly build?: string;
  readonly release?: string;
  readonly application?: string;
  readonly execution?: string;
}

export const PAGES = ['build', 'release', 'application', 'execution'] as const;
export type Page = (typeof PAGES)[number];

/** Where to go when a page is not there: the nearest one that is. */
const NEAREST: Readonly<Record<Page, readonly Page[]>> = {
  build: ['build', 'execution', 'release', 'application'],
  execution: ['execution', 'build', 'release', 'application'],
  release: ['release', 'application', 'build', 'execution'],
  application: ['application', 'release', 'build', 'execution'],
};

/** The address of a page, or of the nearest one that the execution has; `undefined` when it has none. */
export function pageOf({ pages }: Execution, wanted: Page): string | undefined {
  return NEAREST[wanted].map((page) => pages[page]).find((address) => address !== undefined);
}

/** One run of a build, as a provider read it. A field is absent when the backend did not tell it. */
export interface Execution {
  readonly outcome: Outcome;
  /** The backend's own word. */
  readonly status: string;
  readonly application: string;
  readonly applicationId?: string;
  /** The ref, when the backend does not say whether it is a branch or a tag; else absent or equal to one of them. */
  readonly release?: string;
  readonly branch?: string;
  readonly tag?: string;
  /** A full or abbreviated SHA. */
  readonly commit?: string;
  /** The number that people see and ask for; neither the API's id nor, always, the number in the web address. */
  readonly build?: string;
  /** The API's id. */
  readonly id?: string;
  readonly workflow?: string;
  readonly stage?: string;
  readonly job?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Ran for a pull or merge request: counts only when the query names its build, commit or ref. */
  readonly pullRequest?: boolean;
  readonly queuedAt?: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  readonly pages: Pages;
}

/** Says that an execution will not change any more by itself. */
export function hasEnded({ outcome }: Execution): boolean {
  return outcome !== 'queued' && outcome !== 'waiting' && outcome !== 'running';
}
