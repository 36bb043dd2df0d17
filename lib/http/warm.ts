import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { holds } from '../resolving/index.ts';
import { type Answer, sendAnswer } from './answer.ts';
import type { Requests } from './requests.ts';

/** Answers that were given and still hold: sent again before anything else sees the request. */
export interface Warm {
  /** Sends the answer if one is kept and holds; says whether it did. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
  /** Keeps an answer that was just given to a request. */
  keep(request: IncomingMessage, answer: Answer): void;
  /** How many there are, and what they take, in bytes. */
  readonly size: number;
  readonly bytes: number;
}

export interface WarmSettings {
  /** What the kept answers may take, in bytes. */
  readonly maxBytes: number;
  readonly requests: Requests;
  readonly now?: () => number;
}

const LONGEST_URL = 2_048;
/** A kept answer without its URL and body, measured. */
const RECORD_BYTES = 500;
const CACHE_STATUS = 'signalbox; hit; detail=warm';

export function createWarm({ maxBytes, requests, now = Date.now }: WarmSettings): Warm {
  const kept = new LRUCache<string, Answer>({
    maxSize: maxBytes,
    sizeCalculation: ({ drawing }, identity) => RECORD_BYTES + identity.length + (drawing?.body.length ?? 0),
  });

  return {
    get size() {
      return kept.size;
    },
    get bytes() {
      return kept.calculatedSize;
    },

    serve(request, response) {
      const { method, headers } = request;
      if (method !== 'GET' && method !== 'HEAD') return false;
      const identity = identityOf(request);
      const answer = kept.get(identity);
      if (!answer) return false;
      const time = now();
      if (time >= answer.life.freshUntil || !holds(answer.life.seen ?? [])) {
        kept.delete(identity);
        return false;
      }
      const id = requests.idOf(headers);
      sendAnswer(request, response, answer, id, CACHE_STATUS, time);
      requests.answeredWarm(request, response, id);
      return true;
    },

    keep(request, answer) {
      const { method, url = '' } = request;
      const { life, status, drawing } = answer;
      const usable = drawing && status === 200 && life.seen && now() < life.freshUntil;
      if (usable && method === 'GET' && url.length <= LONGEST_URL) kept.set(identityOf(request), answer);
    },
  };
}

type Asked = Pick<IncomingMessage, 'url' | 'headers'>;

/** What an answer is kept by: the address as it was sent, and the key where it is carried beside it. */
export function identityOf({ url = '', headers: { 'x-apikey': key, authorization } }: Asked): string {
  return key === undefined && authorization === undefined ? url : `${url}\n${key ?? ''}\n${authorization ?? ''}`;
}
