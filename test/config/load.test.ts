import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { digestOf } from '../../lib/access/index.ts';
import { type Config, ConfigError, declaredKeys, type Environment, loadConfig } from '../../lib/config/index.ts';
import { type Folder, makeFolder } from '../folder.ts';

describe('the configuration', () => {
  let folder: Folder;

  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(() => folder.remove());

  const load = (yaml: string, environment: Environment = {}): Config =>
    loadConfig(folder.write('signalbox.yaml', yaml), environment).config;
  const messageOf = (yaml: string, environment?: Environment): string => {
    try {
      load(yaml, environment);
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.message;
    }
    return assert.fail('it was taken');
  };

  it('has defaults for everything', () => {
    const { config, file } = loadConfig(undefined, {});
    assert.equal(file, undefined);
    assert.deepEqual(config.server, { host: '127.0.0.1', port: 8080, basePath: '/', trustProxy: 'loopback' });
    assert.equal(config.database, 'sqlite:./data/signalbox.db');
    assert.deepEqual([config.sources, config.keys, config.applications, config.plugins], [[], [], {}, []]);
    assert.equal(config.access.anonymous, false);
  });

  it('may be empty', () => assert.deepEqual(load('# nothing yet'), loadConfig(undefined, {}).config));

  it('is that of the command line, else of the environment', () => {
    const [one, other] = [
      folder.write('one.yaml', 'database: sqlite:one'),
      folder.write('b/other.yaml', 'database: sqlite:b'),
    ];
    assert.equal(loadConfig(one, { SIGNALBOX_CONFIG: other }).config.database, 'sqlite:one');
    const loaded = loadConfig(undefined, { SIGNALBOX_CONFIG: other });
    assert.deepEqual([loaded.config.database, loaded.file], ['sqlite:b', resolve(other)]);
  });

  describe('says what is wrong with', () => {
    const wrong: readonly [string, string, readonly (string | RegExp)[]][] = [
      [
        'an option',
        'databse: x',
        ['databse: there is no such option (did you mean `database`?)', /there are server, database, /],
      ],
      ['an option in another case', 'Database: x', ['did you mean `database`?']],
      ['an option that is like none', 'colour: x', [/^colour: there is no such option; there are server/]],
      [
        'an option of an option',
        'server: { prt: 1 }',
        ['server.prt: there is no such option (did you mean `port`?)', 'host, port, basePath'],
      ],
      [
        'an option of a key',
        'keys: [{ name: a, key: b, scope: [badges] }]',
        ['keys[0].scope: there is no such option (did you mean `scopes`?)', 'keys[0].scopes: '],
      ],
      [
        'an option of an alias',
        'applications: { web: { source: ci, brnch: x } }',
        ['applications.web.brnch', 'did you mean `branch`?'],
      ],
      ['several at once', 'databse: x\nserver: { prt: 1 }', [/databse: .*\n?/, /server\.prt: /]],
      ['a port', 'server: { port: many }', [/^server\.port: /]],
      ['a port beyond all ports', 'server: { port: 70000 }', [/^server\.port: /]],
      [
        'a base path',
        'server: { basePath: badges/ }',
        ['server.basePath: must start with a slash and not end with one: /badges'],
      ],
      ['a log level', 'log: { level: loud }', [/^log\.level: /]],
      ['a scope', 'keys: [{ name: a, key: b, scopes: [all] }]', [/^keys\[0\]\.scopes\[0\]: .*"badges"/]],
      ['no scope', 'keys: [{ name: a, key: b, scopes: [] }]', [/^keys\[0\]\.scopes: /]],
      ['an empty key', 'keys: [{ name: a, key: "", scopes: [badges] }]', [/^keys\[0\]\.key: /]],
      ['a source without a name', 'sources: [{ provider: github }]', [/^sources\[0\]\.name: /]],
      [
        'a name of a source',
        'sources: [{ name: "my ci", provider: github }]',
        [/^sources\[0\]\.name: must be 1 to 64 letters/],
      ],
      ['a policy', 'policy: { cancelled: success }', [/^policy\.cancelled: /]],
      ['a list', '- a\n- b', [/^the configuration: /]],
      ['a text', 'hello', [/^the configuration: /]],
      ['YAML', 'server: {', [/signalbox\.yaml is no YAML: /]],
    ];
    for (const [what, yaml, parts] of wrong) {
      it(what, () => {
        const message = messageOf(yaml);
        for (const part of parts)
          assert.ok(typeof part === 'string' ? message.includes(part) : part.test(message), message);
      });
    }

    it('a file that is not there', () => {
      assert.throws(() => loadConfig(join(folder.path, 'none.yaml'), {}), {
        name: 'ConfigError',
        message: /none\.yaml cannot be read/,
      });
    });

    it('a secret, without telling it', () => {
      assert.doesNotMatch(messageOf('keys: [{ name: a, key: s3cret, scopes: [all], x: s3cret }]'), /s3cret/);
      assert.doesNotMatch(messageOf('keys: { name: s3cret }'), /s3cret/);
    });
  });

  describe('{ env } and { file }', () => {
    it('stand for what they name, wherever they are', () => {
      folder.write('secrets/key', 's3cret\n');
      const config = load(
        `
database: { env: DB }
keys: [{ name: a, key: { file: secrets/key }, scopes: [badges] }]
sources: [{ name: ci, provider: github, token: { env: TOKEN } }]
`,
        { DB: 'sqlite:x', TOKEN: 't0ken' },
      );
      assert.equal(config.database, 'sqlite:x');
      assert.equal(config.keys[0]?.key.reveal(), 's3cret');
      assert.deepEqual(config.sources[0], { name: 'ci', provider: 'github', token: 't0ken' });
    });

    it('may be the names of applications', () => {
      const { applications } = load('applications: { env: { source: ci, application: x } }');
      assert.deepEqual(Object.keys(applications), ['env']);
    });

    const missing: readonly [string, string][] = [
      ['keys: [{ name: a, key: { env: NONE }, scopes: [badges] }]', 'keys[0].key: the environment has no NONE'],
      ['keys: [{ name: a, key: { env: EMPTY }, scopes: [badges] }]', 'keys[0].key: the environment has no EMPTY'],
      [
        'sources: [{ name: ci, provider: x, token: { file: none.txt } }]',
        'sources[0].token: the file none.txt cannot be read',
      ],
      ['database: { env: HOME, file: x }', 'database: '],
    ];
    for (const [yaml, message] of missing) {
      it(`are an error where they name nothing: ${message}`, () => {
        assert.ok(messageOf(yaml, { EMPTY: '' }).startsWith(message));
      });
    }
  });

  describe('the environment', () => {
    it('wins over the file', () => {
      const environment = {
        SIGNALBOX_HOST: '0.0.0.0',
        SIGNALBOX_PORT: '0',
        SIGNALBOX_DATABASE_URL: 'sqlite:env',
        SIGNALBOX_LOG_LEVEL: 'warn',
      };
      const yaml = 'server: { host: ::1, port: 1, basePath: /b }\ndatabase: sqlite:file\nlog: { level: trace }';
      const { server, database, log } = load(yaml, environment);
      assert.deepEqual([server.host, server.port, server.basePath], ['0.0.0.0', 0, '/b']);
      assert.deepEqual([database, log.level], ['sqlite:env', 'warn']);
    });

    it('is checked as the file is', () => {
      assert.match(messageOf('', { SIGNALBOX_PORT: 'many' }), /^server\.port: /);
      assert.match(messageOf('', { SIGNALBOX_LOG_LEVEL: 'loud' }), /^log\.level: /);
    });

    it('has no say where it is empty', () => {
      assert.equal(load('server: { port: 1 }', { SIGNALBOX_PORT: '', SIGNALBOX_HOST: '' }).server.port, 1);
    });

    it('may give the admin a key, beside those of the file', () => {
      const config = load('keys: [{ name: a, key: b, scopes: [badges] }]', { SIGNALBOX_ADMIN_TOKEN: 't0ken' });
      assert.deepEqual(
        declaredKeys(config).map(({ name, digest, scopes }) => [name, digest, scopes]),
        [
          ['a', digestOf('b'), ['badges']],
          ['SIGNALBOX_ADMIN_TOKEN', digestOf('t0ken'), ['admin']],
        ],
      );
    });
  });

  it('declares keys by their digests, with their limits', () => {
    const yaml =
      'keys: [{ name: a, key: b, scopes: [badges], sources: [ci], applications: ["x/*"], expiresAt: 2027-01-31 }]';
    assert.deepEqual(declaredKeys(load(yaml)), [
      {
        name: 'a',
        digest: digestOf('b'),
        scopes: ['badges'],
        sources: ['ci'],
        applications: ['x/*'],
        expiresAt: new Date('2027-01-31'),
      },
    ]);
  });

  it('never shows a key', () => {
    const config = load('keys: [{ name: a, key: s3cret, scopes: [badges] }]');
    assert.doesNotMatch(JSON.stringify(config), /s3cret/);
  });
});
