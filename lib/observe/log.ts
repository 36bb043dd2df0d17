import { type DestinationStream, type Logger, pino } from 'pino';

/** Lines are written together: one write for each would cost as much as the answers that they tell of. */
const TOGETHER = { sync: false, minLength: 8_192 };
/** No line waits longer to be written. */
const WRITTEN_WITHIN_MS = 200;

/** The log: JSON lines. What could be a secret is cut out by name, should it ever get there. */
export function createLog(level: string, destination: DestinationStream = createOutput()): Logger {
  const paths = ['key', 'token', 'password', 'secret', 'authorization', 'headers', 'options'];
  const options = { level, redact: { paths: [...paths, ...paths.map((path) => `*.${path}`)], censor: '[secret]' } };
  return pino(options, destination);
}

/** A log for lines that hold nothing to cut out: looking for it would cost more than the rest of the line. */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: [] });
}

/** Standard output; what is not written yet when the process ends, is written then. */
function createOutput(): DestinationStream {
  const output = pino.destination(TOGETHER);
  setInterval(() => output.flush(), WRITTEN_WITHIN_MS).unref();
  return output;
}
