import { fromString } from 'css-color-converter';

/** The names of badge-maker and of shields.io; the hex values are the drawer's own. */
const NAMED = ['brightgreen', 'green', 'yellowgreen', 'yellow', 'orange', 'red', 'blue', 'grey', 'lightgrey'];
const ALIASES: Readonly<Record<string, string>> = {
  gray: 'grey',
  lightgray: 'lightgrey',
  critical: 'red',
  important: 'orange',
  success: 'brightgreen',
  informational: 'blue',
  inactive: 'lightgrey',
};
const LONGEST = 64;

/**
 * A colour as badge-maker takes it: a name, `#` and hex, or CSS; `undefined` for a text that is no colour. badge-maker
 * itself draws such a text bright green.
 */
export function normalizeColor(text: string): string | undefined {
  const color = text.trim().toLowerCase();
  if (color === '' || color.length > LONGEST) return undefined;
  if (NAMED.includes(color)) return color;
  if (Object.hasOwn(ALIASES, color)) return ALIASES[color];
  if (/^([\da-f]{3}){1,2}$/.test(color)) return `#${color}`;
  if (/^#([\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})$/.test(color)) return color;
  return isCssColor(color) ? color : undefined;
}

/** How bright a colour looks, from 0 to 1; 0 for a text that is no CSS colour. */
export function brightnessOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = fromString(color)?.toRgbaArray() ?? [];
  return (red * 299 + green * 587 + blue * 114) / 255_000;
}

function isCssColor(color: string): boolean {
  return (
    /^([a-z]+|(rgb|hsl)a?\([\d\s.,%/+-]+\))$/.test(color) &&
    !Object.hasOwn(Object.prototype, color) &&
    fromString(color) !== null
  );
}
