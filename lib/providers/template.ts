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
export function fillTemplate(root: string, text: string, query: ProviderQuery): { url: URL; named: Named } {
  const { application, branch, release, commit, build } = query;
  const given: Named = { application: application || undefined, branch: branch ?? release, commit, build };
  const template = templateOf(text);
  const named: Named = {};
  for (const name of template.names) {
    if (given[name] === undefined) throw new BadRequest(`this source is asked for one ${name}: name it in the query`);
    named[name] = given[name];
  }
  const segments = template.segments.flatMap(({ part, keepsSlashes }) =>
    keepsSlashes ? fill(part, given).split('/') : fill(part, given),
  );
  const args: Record<string, string> = {};
  for (const { name, part } of template.args) {
    if (part.names.every((placeholder) => given[placeholder] !== undefined)) args[name] = fill(part, given);
  }
  return { url: endpoint(root, segments, args), named };
}

/** A text with the names of the placeholders in it. */
interface Part {
  readonly text: string;
  readonly names: readonly (keyof Named)[];
}

interface Template {
  /** What the path names. */
  readonly names: readonly (keyof Named)[];
  readonly segments: readonly { readonly part: Part; readonly keepsSlashes: boolean }[];
  readonly args: readonly { readonly name: string; readonly part: Part }[];
}

/** Templates come from the configuration: there are few, and each is taken apart once. */
const templates = new Map<string, Template>();

function templateOf(text: string): Template {
  const template = templates.get(text) ?? parseTemplate(text);
  templates.set(text, template);
  return template;
}

function parseTemplate(text: string): Template {
  const [path = '', search = ''] = text.split(/\?(.*)/s);
  const segments = path.split('/').filter((segment) => segment !== '');
  return {
    names: toPart(path).names,
    segments: segments.map((segment) => ({ part: toPart(segment), keepsSlashes: segment.includes('{+') })),
    args: [...new URLSearchParams(search.replaceAll('{+', '{'))].map(([name, value]) => ({
      name,
      part: toPart(value),
    })),
  };
}

function toPart(text: string): Part {
  return { text, names: [...text.matchAll(PLACEHOLDER)].map(([, name]) => name as keyof Named) };
}

function fill({ text, names }: Part, given: Named): string {
  return names.length === 0 ? text : text.replaceAll(PLACEHOLDER, (_, name: keyof Named) => given[name] ?? '');
}
