import type { Counter, Histogram, Registry } from 'prom-client';
import client from 'prom-client';

/** What is counted, for Prometheus. No label holds a name that a request could make up. */
export interface Metrics {
  /** A request was answered from what was kept ready. */
  warmHit(status: number): void;
  /** Any other request has ended. */
  request(url: string, status: number, seconds: number): void;
  /** A backend was asked; `error` when it gave no answer. */
  upstreamRequest(source: string, status: number | 'error', seconds: number): void;
  /** Counts something whenever the metrics are read. */
  gauge(name: string, help: string, read: () => number): void;
  /** The text that Prometheus reads. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** From a request that is answered at once to one that waits as long as it may. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10];

export function createMetrics(): Metrics {
  const registry: Registry = new client.Registry();
  const registers = [registry];
  /** Plain numbers, because the warm path has no time for more. */
  const warmHits = new Map<number, number>();
  const warm: Counter = new client.Counter({
    name: 'signalbox_warm_requests_total',
    help: 'Requests answered from what was kept ready, by status.',
    labelNames: ['status'],
    registers,
    collect() {
      this.reset();
      for (const [status, count] of warmHits) warm.inc({ status }, count);
    },
  });
  const requests = new client.Counter({
    name: 'signalbox_requests_total',
    help: 'Requests that were not answered from what was kept ready, by surface and status.',
    labelNames: ['surface', 'status'],
    registers,
  });
  const requestSeconds = new client.Histogram({
    name: 'signalbox_request_seconds',
    help: 'How long these requests took.',
    labelNames: ['surface'],
    buckets: BUCKETS,
    registers,
  });
  const upstreamRequests = new client.Counter({
    name: 'signalbox_upstream_requests_total',
    help: 'Requests to backends, by source and status.',
    labelNames: ['source', 'status'],
    registers,
  });
  const upstreamSeconds = new client.Histogram({
    name: 'signalbox_upstream_seconds',
    help: 'How long backends took to answer.',
    labelNames: ['source'],
    buckets: BUCKETS,
    registers,
  });
  /** What is told of requests, by surface and status: prom-client would look for it by its labels each time. */
  const told = new Map<string, { count: Counter.Internal; duration: Histogram.Internal<'surface'> }>();

  function toldOf(surface: string, status: number) {
    const name = `${surface} ${status}`;
    let found = told.get(name);
    if (!found) {
      found = { count: requests.labels({ surface, status }), duration: requestSeconds.labels({ surface }) };
      told.set(name, found);
    }
    return found;
  }

  return {
    contentType: registry.contentType,
    warmHit(status) {
      warmHits.set(status, (warmHits.get(status) ?? 0) + 1);
    },
    request(url, status, seconds) {
      const { count, duration } = toldOf(surfaceOf(url), status);
      count.inc();
      duration.observe(seconds);
    },
    upstreamRequest(source, status, seconds) {
      upstreamRequests.inc({ source, status });
      upstreamSeconds.observe({ source }, seconds);
    },
    gauge(name, help, read) {
      new client.Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    text() {
      watchProcess(registry);
      return registry.metrics();
    },
  };
}

/** Memory, processor time and the delay of the event loop, from when the metrics are first read. */
function watchProcess(registry: Registry): void {
  if (!registry.getSingleMetric('process_cpu_user_seconds_total')) client.collectDefaultMetrics({ register: registry });
}

const SURFACES: readonly [path: string, surface: string][] = [
  ['/api/ci-badges/image', 'image'],
  ['/api/ci-badges/link', 'link'],
  ['/api/v4/', 'definitions'],
  ['/api/builds', 'builds'],
  ['/hooks/', 'hooks'],
];

/** Which surface an address belongs to, below whatever base path. */
function surfaceOf(url: string): string {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  return SURFACES.find(([part]) => path.includes(part))?.[1] ?? 'other';
}
