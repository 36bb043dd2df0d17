import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ConfigError, ConfigOptions, configureSources, parseOptions } from '../../lib/config/index.ts';
import { defineProvider, httpUrl, type Registry, secret } from '../../lib/providers/index.ts';
import { type Folder, makeFolder } from '../folder.ts';

const LIBRARY = pathToFileURL('lib/index.ts').href;

const acme = defineProvider({
  id: 'acme',
  title: 'Acme CI',
  docs: 'https://acme.test/docs',
  words: { application: 'project', release: 'branch', build: 'number', execution: 'run' },
  filters: ['application'],
  options: z.strictObject({ url: httpUrl().default('https://acme.test'), token: secret().optional() }),
  async *executions() {},
});

describe('the sources of a configuration', () => {
  let folder: Folder;
  let loads: string[];
  let registry: Registry;

  beforeEach(() => {
    folder = makeFolder();
    loads = [];
    const load = (name: string) => async () => {
      loads.push(name);
      return { default: acme };
    };
    registry = { acme: load('acme'), other: load('other') };
  });
  afterEach(() => folder.remove());

  const configure = (options: object) =>
    configureSources({ config: parseOptions(ConfigOptions, options), file: `${folder.path}/signalbox.yaml` }, registry);
  const messageOf = (options: object) =>
    configure(options).then(
      () => assert.fail('it was taken'),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError, String(error));
        return error.message;
      },
    );

  it('have the options of every source, and those of their provider', async () => {
    const [source] = await configure({
      sources: [
        {
          name: 'ci',
          provider: 'acme',
          url: 'https://ci.test/',
          token: 's3cret',
          timeoutSeconds: 3,
          applications: ['a/*'],
        },
      ],
    });
    assert.ok(source);
    const { name, url, timeoutSeconds, applications, definition, options } = source;
    assert.deepEqual([name, url, timeoutSeconds, applications], ['ci', 'https://ci.test', 3, ['a/*']]);
    assert.equal(definition, acme);
    assert.deepEqual(Object.keys(options as object), ['url', 'token']);
  });

  it('have the address that their provider takes for granted', async () => {
    const [source] = await configure({ sources: [{ name: 'ci', provider: 'acme' }] });
    assert.equal(source?.url, 'https://acme.test');
  });

  it('load the providers that they need and no other', async () => {
    await configure({ sources: [{ name: 'ci', provider: 'acme' }] });
    assert.deepEqual(loads, ['acme']);
  });

  const source = (more: object = {}) => ({ name: 'ci', provider: 'acme', ...more });
  const wrong: readonly [string, object, RegExp][] = [
    [
      'an option that is not there, with its place and its neighbours',
      { sources: [source({ name: 'first' }), source({ tokn: 'x' })] },
      /^sources\[1\] \(ci\)\.tokn: there is no such option \(did you mean `token`\?\); there are url, token, name, provider, applications, /,
    ],
    [
      'an option of every source that is misspelt',
      { sources: [source({ timeoutSecond: 3 })] },
      /timeoutSecond: there is no such option \(did you mean `timeoutSeconds`\?\)/,
    ],
    [
      'an option of an option',
      { sources: [source({ policy: { canceled: 'error' } })] },
      /\(ci\)\.policy\.canceled: .*`cancelled`/,
    ],
    [
      'an address that is none',
      { sources: [source({ url: 'ci.test' })] },
      /^sources\[0\] \(ci\)\.url: must be an address/,
    ],
    [
      'a wrong value of every source',
      { sources: [source({ timeoutSeconds: 0 })] },
      /^sources\[0\] \(ci\)\.timeoutSeconds: /,
    ],
    ['a secret that is none', { sources: [source({ token: 7 })] }, /^sources\[0\] \(ci\)\.token: must be a text/],
    [
      'a provider that is not there',
      { sources: [source({ provider: 'acne' })] },
      /^sources\[0\] \(ci\): there is no provider `acne`; there are acme, other$/,
    ],
    [
      'a provider that is part of every object',
      { sources: [source({ provider: 'constructor' })] },
      /there is no provider `constructor`/,
    ],
    ['a name that is taken twice', { sources: [source(), source()] }, /^sources: the name `ci` is taken twice$/],
    [
      'a name that reported builds have',
      { sources: [source({ name: 'push' })] },
      /^sources: the name `push` is taken by reported builds$/,
    ],
    [
      'an alias to a source that is not there',
      { sources: [source()], applications: { web: { source: 'cy', application: 'x' } } },
      /^applications\.web: there is no source `cy`; there are push, ci$/,
    ],
  ];
  for (const [what, options, message] of wrong) {
    it(`may not have ${what}`, async () => assert.match(await messageOf(options), message));
  }

  it('may be meant by an alias, reported builds too', async () => {
    await configure({ applications: { web: { source: 'push', application: 'x' } } });
  });

  describe('with a provider from outside', () => {
    const plugin = (id: string) => `
      import { defineProvider } from '${LIBRARY}';
      const options = { parse: (value: unknown) => value, safeParse: (data: unknown) => ({ success: true, data }) };
      export default defineProvider({
        id: '${id}', title: 'Mine', docs: 'https://mine.test', filters: ['application'], options: options as never,
        words: { application: 'a', release: 'b', build: 'c', execution: 'd' },
        async *executions(): AsyncIterable<never> {},
      });`;

    it('of a file beside the configuration', async () => {
      folder.write('ci/mine.ts', plugin('mine'));
      const sources = [source({ provider: 'mine' }), source({ name: 'two' })];
      const [mine, other] = await configure({ plugins: ['./ci/mine.ts'], sources });
      assert.deepEqual([mine?.definition.id, other?.definition.id], ['mine', 'acme']);
    });

    it('of a file with its whole path', async () => {
      const [mine] = await configure({
        plugins: [folder.write('whole.ts', plugin('whole'))],
        sources: [source({ provider: 'whole' })],
      });
      assert.equal(mine?.definition.id, 'whole');
    });

    const broken: readonly [string, string | undefined, RegExp][] = [
      ['is not there', undefined, /^plugins: \.\/broken\.ts cannot be loaded: /],
      ['does not run', 'throw new Error("no");', /^plugins: \.\/broken\.ts cannot be loaded: no$/],
      ['has no provider', 'export const x = 1;', /^plugins: \.\/broken\.ts cannot be loaded: /],
      [
        'has something else',
        'export default { id: "x" };',
        /cannot be loaded: provider `x`: docs `undefined` is no address$/,
      ],
    ];
    for (const [what, text, message] of broken) {
      it(`says when it ${what}`, async () => {
        if (text !== undefined) folder.write('broken.ts', text);
        assert.match(await messageOf({ plugins: ['./broken.ts'], sources: [source()] }), message);
      });
    }

    it('says when there is no such package', async () => {
      assert.match(
        await messageOf({ plugins: ['signalbox-plugin-none'] }),
        /^plugins: signalbox-plugin-none cannot be loaded: /,
      );
    });
  });
});
