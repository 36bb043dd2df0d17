import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { providers } from '../plugins/index.ts';

/** The folders of lib that a folder of lib may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  builds: [],
  badges: ['builds'],
  providers: ['builds'],
  storage: ['builds'],
  sources: ['builds', 'providers', 'storage'],
  resolving: ['builds', 'providers', 'sources'],
  access: ['resolving', 'sources'],
  config: ['access', 'providers'],
  definitions: ['providers', 'sources', 'storage'],
  observe: [],
};

/** The packages that a folder may use, beside those of Node. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  'lib/builds': [],
  'lib/badges': ['badge-maker', 'css-color-converter'],
  plugins: ['zod', 'fast-xml-parser'],
};

const files = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));

/** What a file imports, types left out where `values` says so: relative paths resolved, packages by name. */
function importsOf(file: string, values = false): string[] {
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/^(?:import|export)( type)?[^;]*?from '([^']+)'/gms)];
  const kept = found.filter(([, isType]) => !(values && isType)).map(([, , target = '']) => target);
  return kept.map((target) => (target.startsWith('.') ? relative('.', resolve(dirname(file), target)) : target));
}

describe('structure', () => {
  it('lists exactly the providers that there are', () => {
    const there = readdirSync('plugins').filter((name) => name !== 'index.ts');
    assert.deepEqual(
      Object.keys(providers)
        .map((id) => `${id}.ts`)
        .sort(),
      there.sort(),
    );
  });

  for (const id of Object.keys(providers)) {
    it(`${id} is called what its file is called, and has recorded answers with their sources`, async () => {
      assert.equal((await providers[id]?.())?.default.id, id);
      const sources = readFileSync(`fixtures/${id}/SOURCES.md`, 'utf8');
      assert.ok(sources.length > 100);
      // Nothing is left to be filled in.
      assert.doesNotMatch(sources, /TODO/);
    });
  }

  for (const file of files('plugins').filter((name) => !name.endsWith('index.ts'))) {
    it(`${file} sees only lib/providers and lib/builds`, () => {
      const ours = importsOf(file).filter((target) => target.startsWith('lib/'));
      assert.deepEqual(
        ours.filter((target) => !['lib/providers/index.ts', 'lib/builds/index.ts'].includes(target)),
        [],
      );
    });
  }

  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    it(`lib/${folder} imports only ${allowed.join(', ') || 'packages'}`, () => {
      const folders = files(`lib/${folder}`).flatMap((file) =>
        importsOf(file).flatMap((target) => /^lib\/(\w+)\//.exec(target)?.[1] ?? []),
      );
      assert.deepEqual(
        [...new Set(folders)].filter((name) => name !== folder && !allowed.includes(name)),
        [],
      );
    });
  }

  for (const [folder, allowed] of Object.entries(MAY_USE)) {
    it(`${folder} uses ${allowed.join(', ') || 'no package'}`, () => {
      const packages = files(folder).flatMap((file) =>
        importsOf(file).filter((target) => !/\.ts$|^node:/.test(target)),
      );
      assert.deepEqual(
        [...new Set(packages)].filter((name) => !allowed.includes(name)),
        [],
      );
    });
  }

  it('lib/builds does not even use Node', () => {
    assert.deepEqual(
      files('lib/builds').flatMap((file) => importsOf(file).filter((target) => target.startsWith('node:'))),
      [],
    );
  });

  it('nothing of lib imports lib/http but what stands above the folders', () => {
    const importing = files('lib').filter((file) => importsOf(file).some((target) => target.startsWith('lib/http/')));
    const folders = importing.map((file) => /^lib\/(\w+)\//.exec(file)?.[1] ?? 'above');
    assert.deepEqual([...new Set(folders)].sort(), ['above', 'http']);
  });

  it('has no circle of imports', () => {
    const graph = new Map(
      files('lib').map((file) => [file, importsOf(file, true).filter((name) => name.startsWith('lib/'))]),
    );
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), `a circle: ${[...path, file].join(' -> ')}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
  });

  it('knows no CI by name in lib', () => {
    const importing = files('lib').filter((file) => importsOf(file).some((target) => target.startsWith('plugins/')));
    assert.deepEqual(importing, ['lib/cli.ts', 'lib/docs.ts']);
  });
});
