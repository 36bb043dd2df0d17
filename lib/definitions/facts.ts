import { LRUCache } from 'lru-cache';
import type { ProjectWish } from '../providers/index.ts';
import type { Source } from '../sources/index.ts';
import type { Project } from '../storage/index.ts';

/** What a project's source tells of it, as far as placeholders want it. */
export interface LiveFacts {
  readonly default_branch?: string;
  readonly commit_sha?: string;
  readonly latest_tag?: string;
}

export interface FactsSettings {
  readonly sourceOf: (name: string) => Source | undefined;
  /** Keeps what was learnt as the last known, for an outage that outlives this process. */
  readonly keep: (project: Project, facts: LiveFacts) => Promise<void>;
  readonly onFailure: (source: string, error: unknown) => void;
}

/** How long an answer of a forge holds, and how long a request waits for one. */
const FRESH_MS = 60_000;
const RETRY_MS = 5_000;
const PATIENCE_MS = 2_000;

interface Known {
  readonly wish: string;
  readonly facts: Promise<LiveFacts>;
}

/** The facts of projects that are bound to a source, asked for at most once a minute; else what is stored. */
export function createFacts({ sourceOf, keep, onFailure }: FactsSettings) {
  const known = new LRUCache<string, Known>({ max: 20_000, ttl: FRESH_MS });

  async function ask(project: Project, source: Source, wish: ProjectWish, identity: string): Promise<LiveFacts> {
    try {
      const found = await source.findProject(project.source_project ?? project.full_path, wish);
      const facts = {
        ...(found?.defaultBranch !== undefined && { default_branch: found.defaultBranch }),
        ...(found?.commit !== undefined && { commit_sha: found.commit }),
        ...(found?.tag !== undefined && { latest_tag: found.tag }),
      };
      await keep(project, facts);
      return facts;
    } catch (error) {
      onFailure(source.name, error);
      const failed = known.get(identity);
      if (failed) known.set(identity, failed, { ttl: RETRY_MS });
      return {};
    }
  }

  return async (project: Project, wish: ProjectWish): Promise<LiveFacts> => {
    const stored = storedFacts(project);
    const source = project.source === null ? undefined : sourceOf(project.source);
    if (!source) return stored;
    const identity = JSON.stringify([project.id, project.source, project.source_project, wish.commit, wish.tag]);
    let entry = known.get(identity);
    if (!entry) {
      entry = { wish: identity, facts: ask(project, source, wish, identity) };
      known.set(identity, entry);
    }
    const live = await Promise.race([entry.facts, later()]);
    return { ...stored, ...live };
  };
}

export type Facts = ReturnType<typeof createFacts>;

/** What is stored of a project: what was last known of one with a source. */
export function storedFacts({ default_branch, commit_sha, latest_tag }: Project): LiveFacts {
  return {
    ...(default_branch !== null && { default_branch }),
    ...(commit_sha !== null && { commit_sha }),
    ...(latest_tag !== null && { latest_tag }),
  };
}

function later(): Promise<LiveFacts> {
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS, {}).unref();
  });
}
