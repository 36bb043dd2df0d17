import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { BadRequest } from './errors.ts';
import type { ProviderQuery } from './provider.ts';

const PLACEHOLDER = /\{\+?(application|branch|commit|build)\}/g;
/** What a template can name of a query. */
export type Named = Partial<Record<'application' | 'branch' | 'commit' | 'build', string>>;

/** A path with placeholders, as in RFC 6570: `{branch}` is one segment, `{+branch}` keeps its slashes. */
export function pathTemplate() {
  return z.string().refine((text) => !/[{}#]/.test(text.replaceAll(PLACEHOLDER, '')), {
    error:
      'knows the placeholders {application}, {branch}, {commit} and {build}, and {+application} for one with slashes',
  });
}

/**
 * The address of a path template below `root`, and what the path names: that the answer is certainly about. An argument
 * of the template's query that the asker did not give is left out.
 * @throws BadRequest when the path needs something that the asker did not give
 */
export function fillTemplate(root: string, template: string, query: ProviderQuery): { url: URL; named: Named } {
  const { application, branch, release, commit, build } = query;
  const given: Named = { application: application || undefined, branch: branch ?? release, commit, build };
  const names = (text: string) => [...text.matchAll(PLACEHOLDER)].map(([, name]) => name as keyof Named);
  const lacks = (text: string) => names(text).find((name) => given[name] === undefined);
  const fill = (text: string) => text.replaceAll(PLACEHOLDER, (_, name: keyof Named) => given[name] ?? '');

  const [path = '', search = ''] = template.split(/\?(.*)/s);
  const missing = lacks(path);
  if (missing) throw new BadRequest(`this source is asked for one ${missing}: name it in the query`);
  const segments = path.split('/').filter((segment) => segment !== '');
  const filled = segments.flatMap((segment) => (segment.includes('{+') ? fill(segment).split('/') : fill(segment)));
  const args = [...new URLSearchParams(search.replaceAll('{+', '{'))].filter(([, text]) => !lacks(text));
  return {
    url: endpoint(root, filled, Object.fromEntries(args.map(([name, text]) => [name, fill(text)]))),
    named: Object.fromEntries(names(path).map((name) => [name, given[name]])),
  };
}
