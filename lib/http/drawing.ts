import { hash } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';

/** The ready bytes of an answer's body, with its compressed forms made when they are first wanted. */
export interface Drawing {
  readonly type: string;
  readonly body: string;
  /** Length of the body in UTF-8. */
  readonly bytes: number;
  /** Every character is one byte of ASCII. */
  readonly isLatin1: boolean;
  readonly tag: string;
  form(encoding: Encoding): Buffer;
}

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
    sizeCalculation: ({ body }, identity) => 2 * body.length + identity.length + 200,
  });
  return {
    get(identity, type, draw) {
      let drawing = kept.get(identity);
      if (!drawing) {
        drawing = toDrawing(type, draw());
        kept.set(identity, drawing);
      }
      return drawing;
    },
  };
}

export function toDrawing(type: string, body: string): Drawing {
  const forms: Partial<Record<Encoding, Buffer>> = {};
  const bytes = Buffer.byteLength(body);
  return {
    type,
    body,
    bytes,
    isLatin1: bytes === body.length,
    tag: hash('sha1', body, 'base64url'),
    form(encoding) {
      forms[encoding] ??= compress(body, encoding);
      return forms[encoding];
    },
  };
}

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

function compress(body: string, encoding: Encoding): Buffer {
  if (encoding === 'gzip') return gzipSync(body);
  return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
}
