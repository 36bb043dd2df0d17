import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createFacts, type LiveFacts, renderAll } from '../../lib/definitions/index.ts';
import { type ProjectWish, UpstreamError, type Project as UpstreamProject } from '../../lib/providers/index.ts';
import type { Source } from '../../lib/sources/index.ts';
import type { Project } from '../../lib/storage/index.ts';

const PROJECT: Project = {
  id: 7,
  group_id: 3,
  name: 'The Web',
  path: 'web',
  full_path: 'acme/shop/web',
  full_path_key: 'acme/shop/web',
  description: null,
  visibility: 'public',
  default_branch: 'stored-branch',
  commit_sha: null,
  latest_tag: 'stored-tag',
  source: 'forge',
  source_project: null,
  created_at: 0,
};
const KNOWN: UpstreamProject = { id: '99', title: 'x', defaultBranch: 'main', commit: 'abc', tag: 'v2' };
const LIVE: LiveFacts = { default_branch: 'main', commit_sha: 'abc', latest_tag: 'v2' };
const ALL: ProjectWish = { commit: true, tag: true };

/** A forge that answers as it is told, and remembers what it was asked. */
function createForge() {
  const asked: (readonly [string, ProjectWish])[] = [];
  const kept: LiveFacts[] = [];
  const failures: unknown[] = [];
  const forge = {
    asked,
    kept,
    failures,
    answer: async (): Promise<UpstreamProject | undefined> => KNOWN,
  };
  const source = {
    name: 'forge',
    findProject: (application: string, wish: ProjectWish) => {
      asked.push([application, wish]);
      return forge.answer();
    },
  } as Source;
  const facts = createFacts({
    sourceOf: (name) => (name === 'forge' ? source : undefined),
    keep: async (_project, learnt) => {
      kept.push(learnt);
    },
    onFailure: (_source, error) => failures.push(error),
  });
  return { ...forge, forge, facts };
}

const isDown = async () => Promise.reject(new UpstreamError('the forge is down'));

describe('facts', () => {
  let now = 0;
  beforeEach(() => {
    now = performance.now();
    mock.method(performance, 'now', () => now);
  });
  afterEach(() => mock.restoreAll());

  /** Turns the clock that entries of the cache age by; the cache itself looks at it once a millisecond. */
  const pass = async (ms: number) => {
    now += ms;
    await setTimeout(5);
  };

  it('come from the source of the project, and are kept', async () => {
    const { facts, kept, asked } = createForge();
    assert.deepEqual(await facts(PROJECT, ALL), LIVE);
    assert.deepEqual(kept, [LIVE]);
    assert.deepEqual(asked, [['acme/shop/web', ALL]]);
  });

  it('are asked for by the name that the source has for the project', async () => {
    const { facts, asked } = createForge();
    await facts({ ...PROJECT, source_project: 'shop-web' }, {});
    assert.deepEqual(asked, [['shop-web', {}]]);
  });

  it('are those that are stored where there is no source, or none of that name', async () => {
    const { facts, asked } = createForge();
    const stored = { default_branch: 'stored-branch', latest_tag: 'stored-tag' };
    assert.deepEqual(await facts({ ...PROJECT, source: null }, ALL), stored);
    assert.deepEqual(await facts({ ...PROJECT, source: 'gone' }, ALL), stored);
    assert.deepEqual(asked, []);
  });

  it('are those that are stored where the source does not tell', async () => {
    const { facts, forge } = createForge();
    forge.answer = async () => ({ defaultBranch: 'main' });
    assert.deepEqual(await facts(PROJECT, ALL), { default_branch: 'main', latest_tag: 'stored-tag' });
    forge.answer = async () => undefined;
    assert.deepEqual(await facts({ ...PROJECT, id: 8 }, ALL), {
      default_branch: 'stored-branch',
      latest_tag: 'stored-tag',
    });
  });

  it('are asked for once, however many want them', async () => {
    const { facts, asked } = createForge();
    const answers = await Promise.all(Array.from({ length: 50 }, () => facts(PROJECT, ALL)));
    assert.deepEqual(
      answers,
      Array.from({ length: 50 }, () => LIVE),
    );
    assert.equal(asked.length, 1);
  });

  it('are asked for once a minute', async () => {
    const { facts, asked, forge } = createForge();
    await facts(PROJECT, ALL);
    forge.answer = async () => ({ ...KNOWN, tag: 'v3' });
    await pass(59_000);
    assert.equal((await facts(PROJECT, ALL)).latest_tag, 'v2');
    assert.equal(asked.length, 1);
    await pass(2_000);
    assert.equal((await facts(PROJECT, ALL)).latest_tag, 'v3');
    assert.equal(asked.length, 2);
  });

  it('are asked for again when more is wanted than was asked for', async () => {
    const { facts, asked, forge } = createForge();
    forge.answer = async () => ({ defaultBranch: 'main' });
    assert.equal((await facts(PROJECT, {})).commit_sha, undefined);
    forge.answer = async () => KNOWN;
    assert.equal((await facts(PROJECT, { commit: true })).commit_sha, 'abc');
    assert.equal((await facts(PROJECT, { tag: true })).latest_tag, 'v2');
    assert.deepEqual(
      asked.map(([, wish]) => wish),
      [{}, { commit: true }, { tag: true }],
    );
  });

  it('are asked for again when the project is bound elsewhere', async () => {
    const { facts, asked } = createForge();
    await facts(PROJECT, ALL);
    await facts({ ...PROJECT, source_project: 'moved' }, ALL);
    await facts({ ...PROJECT, id: 8 }, ALL);
    assert.deepEqual(
      asked.map(([application]) => application),
      ['acme/shop/web', 'moved', 'acme/shop/web'],
    );
  });

  it('stay as they were last known through an outage, and are looked for again after a while', async () => {
    const { facts, asked, forge, failures, kept } = createForge();
    await facts(PROJECT, ALL);
    const remembered = { ...PROJECT, ...kept[0] };
    forge.answer = isDown;
    await pass(61_000);
    assert.deepEqual(await facts(remembered, ALL), LIVE);
    assert.deepEqual(await facts(remembered, ALL), LIVE);
    assert.equal(asked.length, 2);
    assert.equal(failures.length, 1);
    forge.answer = async () => ({ ...KNOWN, commit: 'def' });
    await pass(6_000);
    assert.equal((await facts(remembered, ALL)).commit_sha, 'def');
    assert.equal(asked.length, 3);
    assert.equal(kept.length, 2);
  });

  it('are waited for so long, and then are those last known', async () => {
    const { facts, forge } = createForge();
    let answer = (_project: UpstreamProject) => {};
    forge.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const waiting = facts(PROJECT, ALL);
      mock.timers.tick(1_999);
      assert.equal(await Promise.race([waiting, Promise.resolve('waits')]), 'waits');
      mock.timers.tick(1);
      assert.deepEqual(await waiting, { default_branch: 'stored-branch', latest_tag: 'stored-tag' });
    } finally {
      mock.timers.reset();
    }
    answer(KNOWN);
    assert.deepEqual(await facts(PROJECT, ALL), LIVE);
  });
});

describe('renderAll', () => {
  const names = { server: 'badges.test', pages: 'pages.test' };
  const urls = (image_url: string, link_url = 'https://ci.test/') => ({ image_url, link_url });

  it('gives every placeholder its value', async () => {
    const { facts } = createForge();
    const every = [
      ['project_path', 'acme/shop/web'],
      ['project_title', 'The%20Web'],
      ['project_name', 'web'],
      ['project_id', '7'],
      ['project_namespace', 'acme/shop/web'],
      ['group_name', 'acme/shop'],
      ['gitlab_server', 'badges.test'],
      ['gitlab_pages_domain', 'pages.test'],
      ['default_branch', 'main'],
      ['commit_sha', 'abc'],
      ['latest_tag', 'v2'],
    ] as const;
    const image = `https://ci.test/?${every.map(([name]) => `${name}=%{${name}}`).join('&')}`;
    const [rendered] = await renderAll([urls(image, 'https://ci.test/%{project_id}')], PROJECT, names, facts);
    assert.equal(
      rendered?.rendered_image_url,
      `https://ci.test/?${every.map(([name, value]) => `${name}=${value}`).join('&')}`,
    );
    assert.equal(rendered?.rendered_link_url, 'https://ci.test/7');
    assert.equal(rendered?.image_url, image);
  });

  it('leaves the group of a project that is in none, and what nobody knows', async () => {
    const { facts } = createForge();
    const project = { ...PROJECT, group_id: null, source: null, latest_tag: null };
    const image = 'https://ci.test/%{group_name}/%{commit_sha}/%{latest_tag}/%{default_branch}';
    const [rendered] = await renderAll([urls(image)], project, names, facts);
    assert.equal(
      rendered?.rendered_image_url,
      'https://ci.test/%{group_name}/%{commit_sha}/%{latest_tag}/stored-branch',
    );
  });

  it('leaves all of them where there is no project', async () => {
    const { facts, asked } = createForge();
    const image = 'https://ci.test/%{project_path}/%{gitlab_server}/%{commit_sha}';
    const [rendered] = await renderAll([urls(image)], undefined, names, facts);
    assert.equal(rendered?.rendered_image_url, image);
    assert.deepEqual(asked, []);
  });

  const wishes: readonly (readonly [image: string, asked: readonly ProjectWish[]])[] = [
    ['https://ci.test/%{project_path}/%{project_id}', []],
    ['https://ci.test/%{default_branch}', [{ commit: false, tag: false }]],
    ['https://ci.test/%{commit_sha}', [{ commit: true, tag: false }]],
    ['https://ci.test/%{latest_tag}', [{ commit: false, tag: true }]],
    ['https://ci.test/%{default_branch}/%{commit_sha}/%{latest_tag}', [{ commit: true, tag: true }]],
  ];
  for (const [image, wanted] of wishes) {
    it(`asks the source for nothing but what is wanted: ${image}`, async () => {
      const { facts, asked } = createForge();
      await renderAll([urls(image), urls('https://ci.test/')], PROJECT, names, facts);
      assert.deepEqual(
        asked.map(([, wish]) => wish),
        wanted,
      );
    });
  }

  it('asks once for a whole list', async () => {
    const { facts, asked } = createForge();
    const list = Array.from({ length: 20 }, (_, index) => urls(`https://ci.test/${index}/%{commit_sha}`));
    const rendered = await renderAll(list, PROJECT, names, facts);
    assert.deepEqual(
      rendered.map(({ rendered_image_url }) => rendered_image_url),
      list.map((_, index) => `https://ci.test/${index}/abc`),
    );
    assert.equal(asked.length, 1);
  });
});
