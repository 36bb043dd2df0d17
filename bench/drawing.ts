import { makeBadge } from 'badge-maker';
import { badgen } from 'badgen';
import { renderSvg } from '../lib/badges/index.ts';
import { createDrawings } from '../lib/http/drawing.ts';
import { SLICES } from './duel.ts';
import { report, wanted } from './report.ts';

const COUNT = 5_000;
const LOOK = { label: 'build', message: 'success', color: 'brightgreen', style: 'flat' } as const;

/** What drawing costs in this process: badge-maker alone, badgen alone, and ours, which draws what looks the same once. */
export function compareDrawing(): void {
  if (!wanted('drawing')) return;
  const drawings = createDrawings();
  const badge = { ...LOOK, links: [] };
  const ways: readonly [string, () => unknown][] = [
    ['badge-maker alone', () => makeBadge({ ...LOOK })],
    ['badgen alone', () => badgen({ label: 'build', status: 'success', color: 'green', style: 'flat' })],
    ['ours, not shared', () => renderSvg(badge)],
    ['ours, shared', () => drawings.get(JSON.stringify(badge), 'image/svg+xml', () => renderSvg(badge))],
  ];
  const times = new Map(ways.map(([name]) => [name, [] as number[]]));
  for (let slice = 0; slice <= SLICES; slice += 1) {
    for (const [name, draw] of ways) {
      const startedAt = performance.now();
      for (let index = 0; index < COUNT; index += 1) draw();
      if (slice > 0) times.get(name)?.push(((performance.now() - startedAt) / COUNT) * 1000);
    }
  }
  for (const [name, values] of times) report(`drawing: ${name}`, values, 'us a badge');
}
