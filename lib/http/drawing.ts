import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';

export type Encoding = 'br' | 'gzip';

/** Below this many characters compressing saves nothing worth a header. */
const WORTH_COMPRESSING = 256;

const KEPT_BYTES = 32 * 1024 * 1024;

/** Ready bodies by what they say, so that badges that look the same are drawn once, whoever asked for them. */
export interface Drawings {
  /** The drawing of that identity, or the one that `draw` makes. */
  get(identity: string, type: string, draw: () => string): Drawing;
}

export function createDrawings(): Drawings {
  const kept = new LRUCache<string, Drawing>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ body }, identity) => body.length + identity.length + 400,
  });
  return {
    get(identity, type, draw) {
      let drawing = kept.get(identity);
      if (!drawing) {
        drawing = new Drawing(type, draw());
        kept.set(identity, drawing);
      }
      return drawing;
    },
  };
}

/** The ready bytes of an answer's body. Its compressed forms are made when one is first wanted, but nobody waits for them. */
export class Drawing {
  readonly type: string;
  readonly body: string;
  /** Length of the body in UTF-8. */
  readonly bytes: number;
  /** Every character is one byte. */
  readonly isAscii: boolean;
  /** Of the body as it is; its forms have tags of their own. */
  readonly tag: string;
  readonly #etag: string;
  /** `null` while it is being made. */
  #gzip: Buffer | null | undefined;
  #br: Buffer | null | undefined;

  constructor(type: string, body: string) {
    this.type = type;
    this.bytes = Buffer.byteLength(body);
    this.isAscii = this.bytes === body.length;
    // What was pieced together or cut out would hold on to its parts.
    this.body = this.isAscii ? Buffer.from(body, 'latin1').toString('latin1') : body;
    this.tag = hash('sha1', body, 'base64url');
    this.#etag = `"${this.tag}"`;
  }

  etag(form: Encoding | undefined): string {
    return form ? `"${this.tag}-${form}"` : this.#etag;
  }

  /** The body compressed; `undefined` when it is not ready yet. */
  compressed(encoding: Encoding): Buffer | undefined {
    const made = encoding === 'br' ? this.#br : this.#gzip;
    // What cannot be compressed is sent as it is.
    if (made === undefined) this.#compress(encoding).catch(() => {});
    return made ?? undefined;
  }

  async #compress(encoding: Encoding): Promise<void> {
    if (encoding === 'br') {
      this.#br = null;
      this.#br = await toBrotli(this.body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
    } else {
      this.#gzip = null;
      this.#gzip = await toGzip(this.body);
    }
  }
}

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

/** The encoding to send a drawing in; `undefined` for as it is. */
export function encodingFor({ body }: Drawing, accepted: string | undefined): Encoding | undefined {
  if (accepted === undefined || body.length < WORTH_COMPRESSING) return undefined;
  let choice = choices.get(accepted);
  if (choice === undefined) {
    choice = (['br', 'gzip'] as const).find((encoding) => accepts(accepted, encoding)) ?? 'identity';
    choices.set(accepted, choice);
  }
  return choice === 'identity' ? undefined : choice;
}

/** What was chosen for an `Accept-Encoding`: few are in use, and each request has one. */
const choices = new LRUCache<string, Encoding | 'identity'>({ max: 200 });

/** Whether an `Accept-Encoding` names an encoding without refusing it with `q=0`. */
function accepts(accepted: string, encoding: Encoding): boolean {
  return accepted.split(',').some((part) => {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
