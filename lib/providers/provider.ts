import type { z } from 'zod';
import { type BuildQuery, type Execution, FILTERS, type Filter } from '../builds/index.ts';
import type { Secret } from './secret.ts';
import type { Upstream } from './upstream.ts';

/** A build query as a provider gets it: only filters that it declared, and always an application. */
export interface ProviderQuery extends BuildQuery {
  /** The application's name, or its id when only that was asked for; empty where the provider allows to leave it out. */
  readonly application: string;
}

/** What a forge knows of a project, for queries without a ref and for placeholders. */
export interface Project {
  readonly id?: string;
  readonly title?: string;
  readonly defaultBranch?: string;
  /** SHA of the newest commit of the default branch. */
  readonly commit?: string;
  /** The newest tag. */
  readonly tag?: string;
}

/** Which facts of a project are asked for: each may cost a request. */
export interface ProjectWish {
  readonly commit?: boolean;
  readonly tag?: boolean;
}

export interface ProviderContext<Options> {
  readonly options: Options;
  /** The only way out to the network. */
  readonly upstream: Upstream;
}

/** A request that says that something changed, as it came. */
export interface WebhookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** What a webhook says that changed: a hint to look again, never a state. */
export interface Change {
  /** As queries name it; absent when the payload does not tell: then everything of the source is stale. */
  readonly application?: string;
}

export interface Webhook {
  /** Whether the request proves that it knows the secret. Compares in constant time. */
  verify(request: WebhookRequest, secret: Secret): boolean;
  /** What changed; `undefined` for an event that says nothing of builds. Reads a payload that `JSON.parse` gave. */
  read(payload: unknown, request: WebhookRequest): Change | undefined;
}

export interface ProviderDefinition<Schema extends z.ZodType> {
  /** Lower-case letters, digits and dashes: `provider: id` in the configuration. */
  readonly id: string;
  readonly title: string;
  /** Where the backend's API is described. */
  readonly docs: string;
  /** What the backend calls the four things of a build query. */
  readonly words: Readonly<Record<'application' | 'release' | 'build' | 'execution', string>>;
  /** Closed: an unknown option is an error at start. By custom `url` is the root of the API. */
  readonly options: Schema;
  /** What the API or its answers can decide; the core refuses the rest. */
  readonly filters: readonly Filter[];
  /** The backend can be asked without an application. */
  readonly withoutApplication?: boolean;
  /** Remarks for the provider's page of documentation: cost, limits, what stands for what. */
  readonly notes?: readonly string[];
  /**
   * Candidates for the query, newest first; pages are fetched as they are consumed.
   * @throws UpstreamError, UpstreamAbsent through `upstream`; BadRequest for a name that cannot be asked for
   */
  executions(query: ProviderQuery, context: ProviderContext<z.output<Schema>>): AsyncIterable<Execution>;
  /** A forge's facts about an application. With it, a query without ref, commit and build means the default branch. */
  findProject?(
    application: string,
    context: ProviderContext<z.output<Schema>>,
    wish: ProjectWish,
  ): Promise<Project | undefined>;
  readonly webhook?: Webhook;
}

/** A provider whatever its options: what the core works with. */
// biome-ignore lint/suspicious/noExplicitAny: each provider has options of its own, checked by its own schema
export type Provider = ProviderDefinition<any>;

/** Providers by id, each loaded when it is first needed. */
export type Registry = Readonly<Record<string, () => Promise<{ readonly default: Provider }>>>;

/**
 * A provider plugin: infers the type of its options, checks the definition and freezes it.
 * @throws TypeError that names what is wrong with the definition
 */
export function defineProvider<Schema extends z.ZodType>(
  definition: ProviderDefinition<Schema>,
): Readonly<ProviderDefinition<Schema>> {
  const { id, docs, filters } = definition;
  if (!/^[a-z][a-z0-9-]*$/.test(id)) {
    throw new TypeError(`provider id \`${id}\`: lower-case letters, digits and dashes were wanted`);
  }
  if (!URL.canParse(docs)) throw new TypeError(`provider \`${id}\`: docs \`${docs}\` is no address`);
  const strange = filters.filter((filter) => !FILTERS.includes(filter));
  if (strange.length > 0 || filters.length === 0) {
    throw new TypeError(`provider \`${id}\`: filters \`${strange}\` are none of ${FILTERS.join(', ')}`);
  }
  return Object.freeze({ ...definition, filters: Object.freeze([...filters]) });
}
