import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * Several processes write into one pipe, where a write of so many bytes stays in one piece: PIPE_BUF of Linux,
 * https://man7.org/linux/man-pages/man7/pipe.7.html
 */
const ONE_PIECE = 4_096;
/**
 * Lines are written together, and whole: one write for each would cost as much as the answers that they tell of.
 * sonic-boom begins another write where a line would make one longer than `maxWrite`.
 */
const TOGETHER = { sync: false, minLength: 3_584, maxWrite: ONE_PIECE };
/** A text of a line that is too long for one write. */
const LONG_TEXT = 1_024;
/** No line waits longer to be written. */
const WRITTEN_WITHIN_MS = 200;

/** The log: JSON lines. What could be a secret is cut out by name, should it ever get there. */
export function createLog(level: string, destination: DestinationStream = createOutput()): Logger {
  const paths = ['key', 'token', 'password', 'secret', 'authorization', 'headers', 'options'];
  const options = {
    level,
    redact: { paths: [...paths, ...paths.map((path) => `*.${path}`)], censor: '[secret]' },
    hooks: { streamWrite: toOnePiece },
  };
  return pino(options, destination);
}

/** A log for lines that hold nothing to cut out: looking for it would cost more than the rest of the line. */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: [] });
}

/** A line as it is, or with its longest texts cut: a stranger may ask for a path of any length. */
function toOnePiece(line: string): string {
  let short = line;
  for (let most = LONG_TEXT; Buffer.byteLength(short) > ONE_PIECE && most >= 1; most /= 2) {
    const cut = (_: string, value: unknown) =>
      typeof value === 'string' && value.length > most ? `${value.slice(0, most)}…` : value;
    short = `${JSON.stringify(JSON.parse(line), cut)}\n`;
  }
  return short;
}

/** Standard output; what is not written yet when the process ends, is written then. */
function createOutput(): DestinationStream {
  const output = pino.destination(TOGETHER);
  setInterval(() => output.flush(), WRITTEN_WITHIN_MS).unref();
  return output;
}
