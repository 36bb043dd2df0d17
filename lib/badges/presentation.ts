import type { Argument } from '../builds/index.ts';
import { PALETTES, type PaletteName, STYLES, type Style } from './badge.ts';

/** How the asker wants a badge to look. What cannot be used is left out, as shields.io does. */
export interface Presentation {
  readonly style?: Style;
  readonly label?: string;
  readonly labelColor?: string;
  readonly color?: string;
  /** The slug of a simple icon, or a data URI of an image. */
  readonly logo?: string;
  readonly logoColor?: string;
  /** One for the whole badge, or one for each half. */
  readonly links?: readonly string[];
  /** `state`: the state's word; `status`: the backend's own; `build`: the state and the number. */
  readonly message?: 'state' | 'status' | 'build';
  readonly palette?: PaletteName;
  /** The asker may lengthen, never shorten, how long a badge is kept. */
  readonly cacheSeconds?: number;
  readonly format?: Format;
}

export const FORMATS = ['svg', 'json', 'txt', 'endpoint'] as const;
export type Format = (typeof FORMATS)[number];

/** The arguments that are read, with old names of shields.io, for which the new name wins. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ...['style', 'label', 'labelColor', 'color', 'logo', 'logoColor', 'message', 'palette', 'cacheSeconds', 'format'].map(
    (name): [string, string] => [name, name],
  ),
  ['colorB', 'color'],
  ['colorA', 'labelColor'],
  ['maxAge', 'cacheSeconds'],
]);
const OLD_STYLES: Readonly<Record<string, Style>> = { popout: 'flat', 'popout-square': 'flat-square' };
const LONGEST_CACHE_SECONDS = 24 * 60 * 60;
/** No wishes at all. */
export const PLAIN: Presentation = {};

/** The presentation among a request's arguments; names are those of shields.io, and the first of each counts. */
export function parsePresentation(args: readonly Argument[]): Presentation {
  const given: Record<string, string> = {};
  const old: Record<string, string> = {};
  const links: string[] = [];
  let isPlain = true;
  for (const [name, value] of args) {
    const known = NAMES.get(name);
    if (known !== undefined) {
      isPlain = false;
      const among = known === name ? given : old;
      among[known] ??= value;
    } else if (name === 'link' && isWebAddress(value)) {
      isPlain = false;
      links.push(value);
    }
  }
  return isPlain ? PLAIN : read({ ...old, ...given }, links);
}

function read(given: Readonly<Record<string, string>>, links: readonly string[]): Presentation {
  const { style = '', cacheSeconds = '' } = given;
  return dropAbsent({
    style:
      STYLES.find((known) => known === style) ?? (Object.hasOwn(OLD_STYLES, style) ? OLD_STYLES[style] : undefined),
    label: given.label,
    labelColor: given.labelColor,
    color: given.color,
    logo: given.logo,
    logoColor: given.logoColor,
    links: links.length > 0 ? links.slice(0, 2) : undefined,
    message: (['state', 'status', 'build'] as const).find((known) => known === given.message),
    palette: (Object.keys(PALETTES) as PaletteName[]).find((known) => known === given.palette),
    cacheSeconds: /^\d{1,9}$/.test(cacheSeconds) ? Math.min(Number(cacheSeconds), LONGEST_CACHE_SECONDS) : undefined,
    format: FORMATS.find((known) => known === given.format),
  });
}

function isWebAddress(text: string): boolean {
  return text.length <= 2048 && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function dropAbsent(presentation: Presentation): Presentation {
  return Object.fromEntries(Object.entries(presentation).filter(([, value]) => value !== undefined));
}
