import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { providerPages } from '../lib/docs.ts';
import { providers } from '../plugins/index.ts';

const FOLDER = 'docs/providers';

describe('pages of providers', () => {
  it('are what the definitions say', async () => {
    const pages = await providerPages(providers);
    const there = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
    const wrong = [...new Set([...pages.keys(), ...there])].filter((name) => {
      const text = there.includes(name) ? readFileSync(join(FOLDER, name), 'utf8') : undefined;
      return text !== pages.get(name);
    });
    assert.deepEqual(wrong, [], `run npm run docs: ${wrong.join(', ')} differ in ${FOLDER}`);
  });

  it('name every provider once in the index', async () => {
    const index = (await providerPages(providers)).get('README.md') ?? '';
    const named = [...index.matchAll(/^\| \[`([a-z0-9-]+)`\]\(\1\.md\)/gm)].map(([, id]) => id);
    assert.deepEqual(named, Object.keys(providers).sort());
  });
});
