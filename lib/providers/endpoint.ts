import { BadRequest } from './errors.ts';

/** A value of a query string; a list repeats its name, an absent value leaves the name out. */
type Value = string | number | boolean | undefined | readonly (string | number)[];

/**
 * The address of `segments` below `root`. Every segment is encoded by itself, so that a name from a request (`a/b`,
 * `?x`, `#`) stays one segment; names that could climb (`..`) are refused.
 * @throws BadRequest for an empty segment, `.`, `..` or a control character
 */
export function endpoint(
  root: string,
  segments: readonly (string | number)[],
  query: Readonly<Record<string, Value>> = {},
): URL {
  const path = segments.map((segment) => encodeURIComponent(checkSegment(String(segment)))).join('/');
  const url = new URL(path === '' ? root : `${root}/${path}`);
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const item of value) url.searchParams.append(name, String(item));
    else if (value !== undefined) url.searchParams.append(name, String(value));
  }
  return url;
}

/**
 * The parts of a path-like name: `acme/web` gives `['acme', 'web']`.
 * @throws BadRequest when it has not between `least` and `most` parts, naming the form that was wanted
 */
export function splitName(name: string, form: string, most = form.split('/').length, least = most): string[] {
  const parts = name.split('/');
  if (parts.length < least || parts.length > most) {
    throw new BadRequest(`the application \`${name}\` was not understood: \`${form}\` was wanted`);
  }
  return parts.map(checkSegment);
}

/**
 * A name that may be part of an address.
 * @throws BadRequest for an empty part, `.`, `..` or a control character
 */
export function checkSegment(segment: string): string {
  const climbs = segment.split(/[/\\]/).some((part) => part === '' || part === '.' || part === '..');
  if (climbs || /[\u0000-\u001f\u007f]/.test(segment) || !segment.isWellFormed()) {
    throw new BadRequest(
      'a name in the query cannot be part of an address: it has an empty part, `.`, `..` or a control character',
    );
  }
  return segment;
}

/** An absolute http(s) address, or `undefined` when the backend's text is none: pages go into links. */
export function pageUrl(text: string | null | undefined): string | undefined {
  return text && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}
