import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { play, type TestServer } from './server.ts';

const BUNDLE = 'dist/bundle/main.js';

const WHY = existsSync(BUNDLE) ? '' : ' (it is not built: `npm run build` makes it)';

describe(`the bundle that \`npm start\` runs${WHY}`, () => {
  let server: TestServer;
  let folder: string;

  before(async function () {
    if (WHY) this.skip(); // it is not built: `npm run build` makes it
    folder = mkdtempSync(join(tmpdir(), 'signalbox-'));
    server = await play((_request, response) => {
      response.setHeader('content-type', 'application/json').end('{"status":"green"}');
    });
    const source = {
      name: 'ci',
      provider: 'http-json',
      url: server.origin,
      path: 'jobs',
      status: '/status',
      words: { green: 'passed' },
    };
    writeFileSync(join(folder, 'signalbox.yaml'), JSON.stringify({ database: 'sqlite::memory:', sources: [source] }));
  });
  after(async () => {
    await server?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  it('asks a CI over the network, draws, and finds logos', async () => {
    const args = [
      '--config',
      join(folder, 'signalbox.yaml'),
      'badge',
      '$ApplicationName=web',
      'logo=github',
      'format=svg',
    ];
    const { stdout } = await promisify(execFile)(process.execPath, [BUNDLE, ...args]);
    assert.match(stdout, /build: success/);
    assert.match(stdout, /<image .*data:image\/svg\+xml/);
    assert.equal(server.got.length, 1);
  });
});
