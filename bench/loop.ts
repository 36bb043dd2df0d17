import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadConfig } from '../lib/config/index.ts';
import { createBadgeHost } from '../lib/host.ts';
import { createLog } from '../lib/observe/index.ts';
import { providers } from '../plugins/index.ts';

/** `loop.ts <configuration>`: serves, and tells at `/held` for how long the event loop was held since it was last asked. */
const RESOLUTION_MS = 1;
const host = await createBadgeHost({
  loaded: loadConfig(process.argv[2], process.env),
  providers,
  log: createLog('info'),
});
const held = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const [serve] = host.server.listeners('request');
host.server.removeAllListeners('request').on('request', (request, response) => {
  if (request.url !== '/held') return serve?.call(host.server, request, response);
  // A sample is the time between two turns of a timer.
  const ms = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  response.end(JSON.stringify({ p99: ms(held.percentile(99)), longest: ms(held.max) }));
  held.reset();
});
await host.listen();
held.enable();
