import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { providers } from '../plugins/index.ts';
import { describeProvider } from './providers/describe.ts';
import type { Provider, Registry } from './providers/index.ts';

/** The pages of documentation of providers, and an index of them: file name to text. */
export async function providerPages(registry: Registry): Promise<ReadonlyMap<string, string>> {
  const loaded = await Promise.all(Object.entries(registry).map(async ([, load]) => (await load()).default));
  const sorted = loaded.sort((a, b) => (a.id < b.id ? -1 : 1));
  const pages = sorted.map((provider): [string, string] => [`${provider.id}.md`, `${describeProvider(provider)}\n`]);
  return new Map([['README.md', indexOf(sorted)], ...pages]);
}

/** Replaces what stands in `folder` by these pages. */
export function writePages(folder: string, pages: ReadonlyMap<string, string>): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of pages) writeFileSync(join(folder, name), text);
}

function indexOf(sorted: readonly Provider[]): string {
  const rows = sorted.map(({ id, title, filters, webhook, findProject }) => {
    const cells = [`[\`${id}\`](${id}.md)`, title, filters.join(', '), webhook ? 'yes' : '', findProject ? 'yes' : ''];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '# Providers',
    '',
    'Which backends a source can be of. Written by `npm run docs` from the definitions in `plugins/`.',
    '[Add one](../adding-a-provider.md).',
    '',
    '`filters`: what a query can ask by. `webhook`: the backend can tell of changes. `findProject`: the default branch and placeholders are known.',
    '',
    '| provider | title | filters | webhook | findProject |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

if (process.argv[1] === import.meta.filename) writePages('docs/providers', await providerPages(providers));
