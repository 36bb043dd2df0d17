import { type DestinationStream, type Logger, pino } from 'pino';

/** The log: JSON lines. What could be a secret is cut out by name, should it ever get there. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const paths = ['key', 'token', 'password', 'secret', 'authorization', 'headers', 'options'];
  const options = { level, redact: { paths: [...paths, ...paths.map((path) => `*.${path}`)], censor: '[secret]' } };
  return destination ? pino(options, destination) : pino(options);
}
