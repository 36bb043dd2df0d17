import assert from 'node:assert/strict';
import { type Execution, hasEnded, OUTCOMES, type Outcome, PAGES, type Page, pageOf } from '../../lib/builds/index.ts';

const run = (more: Partial<Execution>): Execution => {
  return { outcome: 'passed', status: 'ok', application: 'shop', pages: {}, ...more };
};

describe('pageOf', () => {
  const all = { build: 'https://a/b', release: 'https://a/r', application: 'https://a/a', execution: 'https://a/e' };

  for (const page of PAGES) {
    it(`gives the page ${page}`, () => assert.equal(pageOf(run({ pages: all }), page), all[page]));
  }

  const nearest: readonly [Page, Page[], Page][] = [
    ['build', ['execution', 'release', 'application'], 'execution'],
    ['build', ['release', 'application'], 'release'],
    ['execution', ['build', 'release', 'application'], 'build'],
    ['release', ['application', 'build'], 'application'],
    ['release', ['build', 'execution'], 'build'],
    ['application', ['release', 'build'], 'release'],
    ['application', ['build'], 'build'],
  ];
  for (const [wanted, there, given] of nearest) {
    it(`gives ${given} for ${wanted} where there are ${there.join(', ')}`, () => {
      const pages = Object.fromEntries(there.map((page) => [page, all[page]]));
      assert.equal(pageOf(run({ pages }), wanted), all[given]);
    });
  }

  it('gives nothing where there is no page', () => assert.equal(pageOf(run({}), 'build'), undefined));
});

describe('hasEnded', () => {
  const moving: readonly Outcome[] = ['queued', 'waiting', 'running'];
  for (const outcome of OUTCOMES) {
    it(`${outcome}: ${!moving.includes(outcome)}`, () => {
      assert.equal(hasEnded(run({ outcome })), !moving.includes(outcome));
    });
  }
});
