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

const PATTERN = /%\{(\w+)\}/g;

/** The URL with every known placeholder replaced; unknown ones, and those without a value, are left as written. */
export function renderUrl(url: string, values: PlaceholderValues): string {
  return url.replace(PATTERN, (written, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name as Placeholder] : undefined;
    return value === undefined ? written : encodeValue(value);
  });
}

/** The placeholders that any of the URLs has. */
export function placeholdersIn(...urls: readonly string[]): ReadonlySet<string> {
  return new Set(urls.flatMap((url) => [...url.matchAll(PATTERN)].map(([, name = '']) => name)));
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
