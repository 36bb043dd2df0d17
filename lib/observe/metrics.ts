import client, { type Counter, type Histogram, type Registry } from 'prom-client';

/** What is counted, for Prometheus. No label holds a name that a request could make up. */
export interface Metrics {
  /** A request was answered from what was kept ready. */
  warmHit(status: number): void;
  /** Any other request has ended; `path` is that of its address. */
  request(path: string, status: number, seconds: number): void;
  /** A backend was asked; `error` when it gave no answer. */
  upstreamRequest(source: string, status: number | 'error', seconds: number): void;
  /** Reads something whenever the metrics are read. */
  gauge(name: string, help: string, read: () => number): void;
  /** What is counted here, for `sumOf`. */
  values(): Promise<MetricValues>;
  /** The text that Prometheus reads. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** What one process has counted, as JSON that another can read. */
export type MetricValues = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** In seconds: from a request that is answered at once to one that waits as long as it may. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10];

/**
 * Counts for this process.
 * @param ofAll the text of all processes of this server, where there are several
 */
export function createMetrics(ofAll?: () => Promise<string>): Metrics {
  const register = new client.Registry();
  const registers = [register];

  /** Counts by a label and the status, and durations by the label. */
  function createTeller(label: string, count: [name: string, help: string], time: [name: string, help: string]) {
    const counter = new client.Counter({ name: count[0], help: count[1], labelNames: [label, 'status'], registers });
    const histogram = new client.Histogram({
      name: time[0],
      help: time[1],
      labelNames: [label],
      buckets: BUCKETS,
      registers,
    });
    /** prom-client would look for these by their labels each time. */
    const known = new Map<string, [Counter.Internal, Histogram.Internal<string>]>();
    return (value: string, status: number | string, seconds: number) => {
      const name = `${status} ${value}`;
      let found = known.get(name);
      if (!found) {
        found = [counter.labels({ [label]: value, status }), histogram.labels({ [label]: value })];
        known.set(name, found);
      }
      found[0].inc();
      found[1].observe(seconds);
    };
  }

  const tellRequest = createTeller(
    'surface',
    ['signalbox_requests_total', 'Requests that were not answered from what was kept ready, by surface and status.'],
    ['signalbox_request_seconds', 'How long these requests took.'],
  );
  const tellUpstream = createTeller(
    'source',
    ['signalbox_upstream_requests_total', 'Requests to backends, by source and status.'],
    ['signalbox_upstream_seconds', 'How long backends took to answer.'],
  );
  /** Plain numbers, because the warm path has no time for more. */
  const warmHits = new Map<number, number>();
  const warm = new client.Counter({
    name: 'signalbox_warm_requests_total',
    help: 'Requests answered from what was kept ready, by status.',
    labelNames: ['status'],
    registers,
    collect() {
      warm.reset();
      for (const [status, count] of warmHits) warm.inc({ status }, count);
    },
  });

  /** Memory, processor time, the delay of the event loop: from when somebody first wants to know. */
  function startDefaults(): void {
    if (!register.getSingleMetric('process_cpu_user_seconds_total')) client.collectDefaultMetrics({ register });
  }

  return {
    contentType: register.contentType,
    warmHit(status) {
      warmHits.set(status, (warmHits.get(status) ?? 0) + 1);
    },
    request: (path, status, seconds) => tellRequest(surfaceOf(path), status, seconds),
    upstreamRequest: tellUpstream,
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
    values() {
      startDefaults();
      return register.getMetricsAsJSON();
    },
    text() {
      if (ofAll) return ofAll();
      startDefaults();
      return register.metrics();
    },
  };
}

/**
 * The text of what several processes have counted: added up, but for what has no sum, such as the delay of an event loop.
 * prom-client says of each which it is. Its own way of asking the processes fails for all when one does not answer.
 */
export function sumOf(processes: readonly MetricValues[]): Promise<string> {
  return client.AggregatorRegistry.aggregate([...processes]).metrics();
}

const SURFACES: readonly [path: string, surface: string][] = [
  ['/api/ci-badges/image', 'image'],
  ['/api/ci-badges/link', 'link'],
  ['/api/v4/', 'definitions'],
  ['/api/builds', 'builds'],
  ['/hooks/', 'hooks'],
];

/** Which surface a path belongs to, below whatever base path. */
function surfaceOf(path: string): string {
  return SURFACES.find(([part]) => path.includes(part))?.[1] ?? 'other';
}
