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

/** Old names of shields.io; the new name wins. */
const OLD_NAMES: Readonly<Record<string, string>> = { colorB: 'color', colorA: 'labelColor', maxAge: 'cacheSeconds' };
const OLD_STYLES: Readonly<Record<string, Style>> = { popout: 'flat', 'popout-square': 'flat-square' };
const LONGEST_CACHE_SECONDS = 24 * 60 * 60;

/** The presentation among a request's arguments; names are those of shields.io. */
export function parsePresentation(args: readonly Argument[]): Presentation {
  const given = new Map<string, string>();
  for (const [name, value] of args) if (!given.has(name)) given.set(name, value);
  for (const [old, name] of Object.entries(OLD_NAMES)) {
    const value = given.get(old);
    if (value !== undefined && !given.has(name)) given.set(name, value);
  }
  const links = args.filter(([name, value]) => name === 'link' && isWebAddress(value)).map(([, value]) => value);
  const cacheSeconds = given.get('cacheSeconds') ?? '';
  const style = given.get('style') ?? '';
  return dropAbsent({
    style:
      STYLES.find((known) => known === style) ?? (Object.hasOwn(OLD_STYLES, style) ? OLD_STYLES[style] : undefined),
    label: given.get('label'),
    labelColor: given.get('labelColor'),
    color: given.get('color'),
    logo: given.get('logo'),
    logoColor: given.get('logoColor'),
    links: links.length > 0 ? links.slice(0, 2) : undefined,
    message: (['state', 'status', 'build'] as const).find((known) => known === given.get('message')),
    palette: (Object.keys(PALETTES) as PaletteName[]).find((known) => known === given.get('palette')),
    cacheSeconds: /^\d{1,9}$/.test(cacheSeconds) ? Math.min(Number(cacheSeconds), LONGEST_CACHE_SECONDS) : undefined,
    format: FORMATS.find((known) => known === given.get('format')),
  });
}

function isWebAddress(text: string): boolean {
  return text.length <= 2048 && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function dropAbsent(presentation: Presentation): Presentation {
  return Object.fromEntries(Object.entries(presentation).filter(([, value]) => value !== undefined));
}
