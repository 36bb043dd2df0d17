import assert from 'node:assert/strict';
import { createLog } from '../../lib/observe/index.ts';
import { Secret } from '../../lib/providers/index.ts';

describe('the log', () => {
  function logged(level: string, write: (log: ReturnType<typeof createLog>) => void): string[] {
    const lines: string[] = [];
    write(createLog(level, { write: (line) => lines.push(line) }));
    return lines;
  }

  it('is lines of JSON', () => {
    const [line = ''] = logged('info', (log) => log.info({ source: 'ci' }, 'asked'));
    const { level, source, msg } = JSON.parse(line);
    assert.deepEqual([level, source, msg], [30, 'ci', 'asked']);
  });

  it('says only what its level lets through', () => {
    const speak = (log: ReturnType<typeof createLog>) => {
      log.info('a');
      log.warn('b');
    };
    assert.deepEqual(
      ['info', 'warn', 'silent'].map((level) => logged(level, speak).length),
      [2, 1, 0],
    );
  });

  for (const name of ['key', 'token', 'password', 'secret', 'authorization', 'headers', 'options']) {
    it(`cuts out what is called ${name}`, () => {
      const lines = logged('info', (log) => {
        log.info({ [name]: 's3cret' });
        log.info({ request: { [name]: 's3cret' } });
      });
      assert.equal(lines.length, 2);
      for (const line of lines) {
        assert.doesNotMatch(line, /s3cret/);
        assert.match(line, /\[secret\]/);
      }
    });
  }

  it('never shows a secret, whatever it is called', () => {
    const [line] = logged('info', (log) =>
      log.info({ deep: { er: new Secret('s3cret') } }, '%s', new Secret('s3cret')),
    );
    assert.doesNotMatch(line ?? '', /s3cret/);
  });
});
