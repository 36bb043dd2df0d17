import { makeBadge } from 'badge-maker';
import type { Badge } from './badge.ts';

/** The badge as SVG. */
export function renderSvg({ label, message, color, labelColor, style, logo, links, title }: Badge): string {
  const svg = makeBadge({
    label,
    message,
    color,
    style,
    ...(labelColor !== undefined && { labelColor }),
    ...(logo !== undefined && { logoBase64: logo }),
    ...(links.length > 0 && { links: [...links] }),
  });
  if (title === undefined) return svg;
  const escaped = title.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return svg
    .replace(/aria-label="[^"]*"/, () => `aria-label="${escaped}"`)
    .replace(/<title>[^<]*<\/title>/, () => `<title>${escaped}</title>`);
}

/** The badge in the shape of shields.io's JSON, with our own facts beside it. */
export function renderJson({ label, message, color, labelColor, links }: Badge, facts: object = {}): string {
  return JSON.stringify({ label, message, color, labelColor, link: links, name: label, value: message, ...facts });
}

/** The badge in shields.io's endpoint schema, so that shields or another Signalbox can draw it. */
export function renderEndpoint({ label, message, color, labelColor, style }: Badge, isError: boolean): string {
  return JSON.stringify({ schemaVersion: 1, label, message, color, labelColor, style, isError });
}
