import { LRUCache } from 'lru-cache';

/** The placeholders of GitLab's badges. https://docs.gitlab.com/user/project/badges/#placeholders */
export const PLACEHOLDERS = [
  'project_path',
  'project_title',
  'project_name',
  'project_id',
  'project_namespace',
  'group_name',
  'gitlab_server',
  'gitlab_pages_domain',
  'default_branch',
  'commit_sha',
  'latest_tag',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** What placeholders stand for; one without a value stays as it is written. */
export type PlaceholderValues = Readonly<Partial<Record<Placeholder, string>>>;

const PATTERN = /%\{(\w+)\}/;

/** The URL with every known placeholder replaced; unknown ones, and those without a value, are left as written. */
export function renderUrl(url: string, values: PlaceholderValues): string {
  return createRenderer(values)(url);
}

/** Renders many URLs with the same values, each of which is encoded once. */
export function createRenderer(values: PlaceholderValues): (url: string) => string {
  const encoded = new Map(Object.entries(values).map(([name, value]) => [name, encodeValue(value)]));
  return (url) => {
    const pieces = piecesOf(url);
    let rendered = pieces[0] ?? '';
    for (let at = 1; at < pieces.length; at += 2) {
      rendered += encoded.get(pieces[at] ?? '') ?? `%{${pieces[at]}}`;
      rendered += pieces[at + 1];
    }
    return rendered;
  };
}

/** URLs that were rendered lately, taken apart: texts and names of placeholders in turn. */
const taken = new LRUCache<string, readonly string[]>({
  maxSize: 4 * 1024 * 1024,
  sizeCalculation: (_pieces, url) => 2 * url.length + 200,
});

function piecesOf(url: string): readonly string[] {
  let pieces = taken.get(url);
  if (!pieces) {
    pieces = url.split(PATTERN);
    taken.set(url, pieces);
  }
  return pieces;
}

/** Whether any of the URLs has a placeholder. */
export function hasPlaceholder(urls: readonly string[], name: Placeholder): boolean {
  const written = `%{${name}}`;
  return urls.some((url) => url.includes(written));
}

/** Slashes stay, as GitLab has it; what could end a path or a parameter, or is no part of a URL, is encoded. */
function encodeValue(value: string): string {
  return value
    .toWellFormed()
    .replace(/[^A-Za-z0-9\-._~/:@]+/g, encodeURIComponent)
    .replace(/[!'()*]/g, encodeMark);
}

/** `encodeURIComponent` leaves these as they are. */
function encodeMark(mark: string): string {
  return `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
}
