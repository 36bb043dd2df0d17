import { type ServerResponse, STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import { LRUCache } from 'lru-cache';
import { EVERYWHERE } from './headers.ts';

/** How long a connection is kept without a request: longer than the usual 60 s of a reverse proxy, which then ends it. */
export const KEEP_ALIVE_MS = 65_000;
const KEPT_ALIVE = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n\r\n`;

/**
 * The headers that many answers have in common, laid out once. Node's `writeHead` reads and checks each header of each
 * answer; with sixteen of them that costs as much as a fifth of the whole request.
 */
export class Head {
  readonly #own: Readonly<Record<string, string>>;
  /** Names and values in turn, as `writeHead` takes them. */
  readonly #list: readonly string[];
  /** The same as it is sent, by status. */
  readonly #texts: Record<number, string> = {};

  /** @throws TypeError for a name or value that no header can have */
  constructor(own: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(own)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    this.#own = own;
    this.#list = [...EVERYWHERE, ...Object.entries(own).flat()];
  }

  get(name: string): string | undefined {
    return this.#own[name];
  }

  /** Writes status and headers of a response: these, and what differs, as lines as they are sent, which must be clean. */
  write(response: ServerResponse, status: number, lines: string, now: number): void {
    if (takesText(response)) {
      response.statusCode = status;
      response._header = `${this.#textOf(status)}${lines}Date: ${dateAt(now)}\r\n${KEPT_ALIVE}`;
    } else {
      response.writeHead(status, [...this.#list, ...listOf(lines)]);
    }
  }

  #textOf(status: number): string {
    let text = this.#texts[status];
    if (text === undefined) {
      text = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
      for (let at = 0; at < this.#list.length; at += 2) text += `${this.#list[at]}: ${this.#list[at + 1]}\r\n`;
      this.#texts[status] = text;
    }
    return text;
  }
}

/** Lines of headers as `writeHead` takes them. */
function listOf(lines: string): string[] {
  return [...lines.matchAll(/^(.+?): (.*)\r$/gm)].flatMap(([, name = '', value = '']) => [name, value]);
}

/** Where Node itself keeps the text of a head that is laid out and not sent yet. */
interface WithText extends ServerResponse {
  _header: string | null;
}

/** Whether a head can be given to a response as text: nothing of it was set before, and its connection stays. */
function takesText(response: ServerResponse): response is WithText {
  return response.shouldKeepAlive && '_header' in response && !response.hasHeader('X-Request-Id');
}

let second = 0;
let date = '';

function dateAt(now: number): string {
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    date = new Date(now).toUTCString();
  }
  return date;
}

/** Heads by what they say: there is one for each state and kind of answer, not one for each badge. */
const heads = new LRUCache<string, Head>({ max: 5_000 });

/** The head with these headers of its own beside those that every answer has. */
export function headOf(own: Readonly<Record<string, string>>): Head {
  let identity = '';
  for (const name in own) identity += `${name}\n${own[name]}\n`;
  let head = heads.get(identity);
  if (!head) {
    head = new Head(own);
    heads.set(identity, head);
  }
  return head;
}
