import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { createLog, withoutRedaction } from '../../lib/observe/index.ts';
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

  for (const [what, long] of [
    ['a path', { path: `/${'x'.repeat(10_000)}` }],
    ['a path that is not ASCII', { path: 'é\u0001'.repeat(3_000) }],
    ['an error', { err: new Error('x'.repeat(5_000), { cause: new Error('y'.repeat(5_000)) }) }],
    ['many texts', Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`text${number}`, 'x'.repeat(100)]))],
  ] as const) {
    it(`has no line that a pipe could take apart, however long ${what} is`, () => {
      const [line = '', another, short] = logged('info', (log) => {
        log.info(long, 'request');
        withoutRedaction(log).info(long, 'request');
        log.info({ path: '/' }, 'request');
      });
      assert.ok(Buffer.byteLength(line) <= 4_096, String(Buffer.byteLength(line)));
      assert.match(line, /…"[^\n]*"msg":"request"}\n$/);
      assert.ok(Buffer.byteLength(another ?? '') <= 4_096);
      assert.match(short ?? '', /"path":"\/","msg":"request"}\n$/);
    });
  }

  const noPipe = existsSync('/bin/dd') ? '' : ' (there is no dd to read it with)';

  it(`is whole lines where two processes write into one pipe that is full${noPipe}`, async function () {
    if (noPipe) this.skip(); // there is no dd to read the pipe with
    const write = `
      import { createLog } from ${JSON.stringify(resolve('lib/observe/index.ts'))};
      const log = createLog('info');
      for (let count = 0; count < 10_000; count += 1) {
        log.info({ path: 'x'.repeat(count % 700) }, 'request');
        if (count % 50 === 0) await new Promise(setImmediate);
      }`;
    // `stdio: 'pipe'` would be a socket, and a reader of large pieces empties a pipe before anybody waits.
    const command = '("$0" -e "$1" & "$0" -e "$1" & wait) | dd bs=512 status=none';
    const options = { maxBuffer: 64 * 1024 * 1024 };
    const args = ['-c', command, process.execPath, write];
    const { stdout } = await promisify(execFile)('/bin/sh', args, options);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 20_000);
    for (const line of lines) assert.equal(JSON.parse(line).msg, 'request');
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
