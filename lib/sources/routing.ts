import type { BuildQuery } from '../builds/index.ts';
import { BadRequest, type Reason } from '../providers/index.ts';
import type { Source } from './source.ts';

/** The request names a source that is not configured. */
export class UnknownSource extends BadRequest {
  override readonly reason: Reason = 'unknown-source';
}

/** Whom to ask, and what. */
export interface Route {
  readonly source: Source;
  readonly query: BuildQuery;
}

/** One application of one source; its other filters hold where the asker gives none. */
export interface Alias {
  readonly source: string;
  readonly query: BuildQuery;
}

/** A source with the applications it is to be asked for: patterns with `*` for any text; none means any. */
export interface RoutedSource {
  readonly source: Source;
  readonly patterns?: readonly string[];
}

export interface Routing {
  /**
   * The sources to ask in turn, until one has an answer: the one that is named, or an alias's, or those whose patterns
   * fit, or all, in configured order. `mayAsk` says which sources the asker may see; `undefined` when it may see none
   * that could answer.
   * @throws UnknownSource for a named source that is not there
   */
  routesFor(
    query: BuildQuery,
    named: string | undefined,
    mayAsk: (source: string) => boolean,
  ): readonly Route[] | undefined;
  readonly sources: readonly Source[];
  sourceOf(name: string): Source | undefined;
}

export function createRouting(routed: readonly RoutedSource[], aliases: Readonly<Record<string, Alias>> = {}): Routing {
  const byName = new Map(routed.map((entry) => [entry.source.name, entry.source]));
  const byAlias = new Map(Object.entries(aliases).map(([name, alias]) => [name.toLowerCase(), alias]));
  const fits = routed.map(({ source, patterns }) => ({ source, matches: patterns && toMatcher(patterns) }));

  function find(name: string): Source {
    const source = byName.get(name);
    if (!source) throw new UnknownSource(`there is no source \`${name}\` here`);
    return source;
  }

  return {
    sources: routed.map(({ source }) => source),
    sourceOf: (name) => byName.get(name),
    routesFor(query, named, mayAsk) {
      if (named !== undefined) return mayAsk(named) ? [{ source: find(named), query }] : undefined;
      const alias = byAlias.get(query.application?.toLowerCase() ?? '');
      if (alias)
        return mayAsk(alias.source) ? [{ source: find(alias.source), query: withAlias(query, alias) }] : undefined;
      const visible = fits.filter(({ source }) => mayAsk(source.name));
      if (visible.length === 0) return undefined;
      const application = query.application ?? '';
      const fitting = visible.filter(({ matches }) => matches?.(application));
      const chosen = fitting.length > 0 ? fitting : visible.filter(({ matches }) => !matches);
      return chosen.map(({ source }) => ({ source, query }));
    },
  };
}

function withAlias(query: BuildQuery, alias: Alias): BuildQuery {
  const { application, ...asked } = query;
  return { ...alias.query, ...asked };
}

/** Matches a name against patterns in which `*` stands for any text; without regard to case. */
export function toMatcher(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 'is');
  });
  return (name) => expressions.some((expression) => expression.test(name));
}
