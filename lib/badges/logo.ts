import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Style } from './badge.ts';
import { brightnessOf } from './color.ts';

/** The data URI of a logo: a simple icon's slug or a data URI of an image; `undefined` when it is neither. */
export type Logos = (logo: string, look: { color?: string | undefined; style: Style }) => string | undefined;

/** Dark brand colours would vanish on a dark label, light ones on the white label of `social`. */
const DARK = 0.4;
const LIGHT = 0.6;
const SLUG = /^[a-z0-9]{1,64}$/;
const DATA_URI = /^data:image\/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/]+=*$/;

/** Logos of simple-icons, each read from its own file when it is first asked for: the whole set is 26 MB. */
export function createLogos(): Logos {
  const require = createRequire(import.meta.url);
  const icons = new Map<string, string | undefined>();
  let hexes: ReadonlyMap<string, string> | undefined;

  function readIcon(slug: string): string | undefined {
    try {
      return readFileSync(require.resolve(`simple-icons/icons/${slug}.svg`), 'utf8');
    } catch {
      return undefined;
    }
  }

  function iconOf(slug: string): string | undefined {
    if (!icons.has(slug) && icons.size < 5_000) icons.set(slug, readIcon(slug));
    return icons.get(slug);
  }

  function brandColorOf(slug: string): string {
    hexes ??= new Map(
      (require('simple-icons/icons.json') as { slug: string; hex: string }[]).map(({ slug, hex }) => [slug, `#${hex}`]),
    );
    return hexes.get(slug) ?? '#ffffff';
  }

  return (logo, { color, style }) => {
    const data = logo.replaceAll(' ', '+');
    const uri = data.startsWith('data:') ? data : `data:${data}`;
    if (DATA_URI.test(uri)) return uri;
    const slug = logo.toLowerCase().replace(/[\s-]/g, '');
    const icon = SLUG.test(slug) ? iconOf(slug) : undefined;
    if (!icon) return undefined;
    // The one name of ours that CSS does not know.
    const fill = color === 'brightgreen' ? '#4b0' : (color ?? readable(brandColorOf(slug), style));
    return `data:image/svg+xml;base64,${Buffer.from(icon.replace('<svg ', `<svg fill="${fill}" `)).toString('base64')}`;
  };
}

function readable(color: string, style: Style): string {
  const brightness = brightnessOf(color);
  if (style === 'social') return brightness >= LIGHT ? '#333' : color;
  return brightness <= DARK ? 'whitesmoke' : color;
}
