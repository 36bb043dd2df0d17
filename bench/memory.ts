import { spawnSync } from 'node:child_process';

const SELF = import.meta.filename;

/** The heap that so many distinct warm badges take, in MiB, measured in a process of its own. */
export function measureMemory(badges: number): number {
  const { stdout } = spawnSync(process.execPath, ['--expose-gc', SELF, String(badges)], { encoding: 'utf8' });
  return Number(stdout.trim());
}

if (process.argv[1] === SELF) {
  const { loadConfig } = await import('../lib/config/index.ts');
  const { createBadgeHost } = await import('../lib/host.ts');
  const { createLog } = await import('../lib/observe/index.ts');
  const loaded = loadConfig(undefined, {
    SIGNALBOX_DATABASE_URL: 'sqlite::memory:',
    SIGNALBOX_PORT: '0',
    SIGNALBOX_ADMIN_TOKEN: 'bench',
  });
  const host = await createBadgeHost({ loaded, providers: {}, log: createLog('silent') });
  const address = await host.listen();
  const ask = async (label: string) => {
    await (await fetch(`${address}/api/ci-badges/image?key=bench&$ApplicationName=web&label=${label}`)).arrayBuffer();
  };
  const report = { application: 'web', build: '1', state: 'success' };
  await fetch(`${address}/api/builds?key=bench`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(report),
  });
  for (let index = 0; index < 300; index += 1) await ask(`start${index}`);
  const heap = async () => {
    for (let round = 0; round < 4; round += 1) {
      global.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return process.memoryUsage().heapUsed;
  };
  const before = await heap();
  for (let index = 0; index < Number(process.argv[2]); index += 1) await ask(`label${index}`);
  process.stdout.write(String(((await heap()) - before) / 1024 / 1024));
  await host.close();
}
