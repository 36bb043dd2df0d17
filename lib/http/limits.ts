import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import proxyAddress from 'proxy-addr';

/** How often one address may ask. A library would do it with a promise for each request: the warm path has no time for that. */
export interface Limits {
  /** Counts a request; the seconds until its address may ask again, or `undefined` when it may now. */
  take(request: IncomingMessage): number | undefined;
}

export interface LimitSettings {
  /** Requests of one address in one minute. */
  readonly perMinute: number;
  /** Which proxies' `X-Forwarded-For` counts: as Express's `trust proxy`. */
  readonly trustProxy: TrustProxy;
  readonly now?: () => number;
}

export type TrustProxy = string | boolean | number;

interface Window {
  readonly endsAt: number;
  count: number;
}

const MINUTE_MS = 60_000;
/** Addresses to remember, at most. */
const ADDRESSES = 100_000;

export function createLimits({ perMinute, trustProxy, now = Date.now }: LimitSettings): Limits {
  const windows = new LRUCache<string, Window>({ max: ADDRESSES });
  const trusts = toTrust(trustProxy);
  return {
    take(request) {
      const address = networkOf(proxyAddress(request, trusts));
      const time = now();
      let window = windows.get(address);
      if (!window || time >= window.endsAt) {
        window = { endsAt: time + MINUTE_MS, count: 0 };
        windows.set(address, window);
      }
      window.count += 1;
      return window.count <= perMinute ? undefined : Math.ceil((window.endsAt - time) / 1000);
    },
  };
}

/** An IPv6 address stands for its network of 64 bits: whoever has one has them all. */
function networkOf(address: string): string {
  return address.includes(':') && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address;
}

function toTrust(trustProxy: TrustProxy): (address: string, hop: number) => boolean {
  if (typeof trustProxy === 'boolean') return () => trustProxy;
  if (typeof trustProxy === 'number') return (_address, hop) => hop < trustProxy;
  return proxyAddress.compile(trustProxy.split(',').map((part) => part.trim()));
}
