import { z } from 'zod';
import { SCOPES } from '../access/index.ts';
import { httpUrl, secret } from '../providers/index.ts';

const Name = z
  .string()
  .regex(
    /^[\w][\w.-]{0,63}$/,
    'must be 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit',
  );
const Seconds = z.number().nonnegative();

/** Ages and pauses of the freshness table, in seconds. */
const FreshnessOptions = z.strictObject({
  movingSeconds: Seconds.optional(),
  settledSeconds: Seconds.optional(),
  noMatchSeconds: Seconds.optional(),
  movingStaleSeconds: Seconds.optional(),
  settledStaleSeconds: Seconds.optional(),
  retrySeconds: Seconds.optional(),
  retryMostSeconds: Seconds.optional(),
  lastKnownSeconds: Seconds.optional(),
  patienceSeconds: Seconds.optional(),
});

const PolicyOptions = z.strictObject({
  cancelled: z.enum(['warning', 'error', 'pass over']).optional(),
  skipped: z.enum(['pass over', 'success', 'warning']).optional(),
  waiting: z.enum(['pending', 'pass over']).optional(),
});

/** The options that every source has, whatever its provider. */
export const SourceOptions = z.strictObject({
  name: Name,
  provider: z.string(),
  /** Patterns of the applications that the source is to be asked for. */
  applications: z.array(z.string().min(1)).optional(),
  /** How browsers reach the backend, where it differs from `url`. */
  webUrl: httpUrl().optional(),
  policy: PolicyOptions.optional(),
  freshness: FreshnessOptions.optional(),
  /** Candidates to look at for one query, at most. */
  scanLimit: z.number().int().min(1).max(1_000).optional(),
  /** PEM certificates, usually `{ file: … }`. */
  ca: z.string().optional(),
  insecure: z.boolean().optional(),
  proxy: z.url({ protocol: /^https?$/ }).optional(),
  timeoutSeconds: z.number().positive().max(120).optional(),
  maxBytes: z.number().int().min(1_024).optional(),
  concurrency: z.number().int().min(1).max(256).optional(),
  /** What the backend's webhooks prove themselves with. */
  webhookSecret: secret().optional(),
});

const AliasOptions = z.strictObject({
  source: Name,
  application: z.string().min(1).optional(),
  applicationId: z.coerce.string().min(1).optional(),
  release: z.string().min(1).optional(),
  branch: z.string().min(1).optional(),
  tag: z.string().min(1).optional(),
  workflow: z.string().min(1).optional(),
  stage: z.string().min(1).optional(),
  job: z.string().min(1).optional(),
  variables: z.record(z.string(), z.coerce.string()).optional(),
});

const KeyOptions = z.strictObject({
  name: Name,
  key: secret(),
  scopes: z.array(z.enum(SCOPES)).min(1),
  sources: z.array(Name).optional(),
  applications: z.array(z.string().min(1)).optional(),
  expiresAt: z
    .union([z.iso.datetime({ offset: true }), z.iso.date(), z.date()])
    .transform((at) => new Date(at))
    .optional(),
});

/** The configuration file. Closed: an unknown option is an error. */
export const ConfigOptions = z.strictObject({
  server: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: z.coerce.number().int().min(0).max(65_535).default(8080),
      basePath: z
        .string()
        .regex(/^\/([\w.~-]+(\/[\w.~-]+)*)?$/, 'must start with a slash and not end with one: /badges')
        .default('/'),
      publicUrl: httpUrl().optional(),
      trustProxy: z.union([z.boolean(), z.number().int(), z.string()]).default('loopback'),
      /** How often one address may ask; as often as it likes by default. */
      requestsPerMinute: z.number().int().min(1).optional(),
    })
    .prefault({}),
  database: z.string().default('sqlite:./data/signalbox.db'),
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info') })
    .prefault({}),
  access: z
    .strictObject({
      anonymous: z.union([z.boolean(), z.array(Name)]).default(false),
      /** Whether passers-by may read `/metrics`; else a key with the scope `admin` may. */
      metrics: z.boolean().default(false),
    })
    .prefault({}),
  keys: z.array(KeyOptions).default([]),
  cache: z
    .strictObject({
      /** Build queries whose executions are remembered. */
      entries: z.number().int().min(100).default(100_000),
      /** What ready answers may take, in bytes. */
      warmBytes: z
        .number()
        .int()
        .min(1_048_576)
        .default(256 * 1024 * 1024),
    })
    .prefault({}),
  freshness: FreshnessOptions.optional(),
  policy: PolicyOptions.optional(),
  sources: z.array(z.looseObject({ name: Name, provider: z.string() })).default([]),
  applications: z.record(z.string().min(1), AliasOptions).default({}),
  plugins: z.array(z.string().min(1)).default([]),
});

export type Config = z.output<typeof ConfigOptions>;
export type FreshnessConfig = z.output<typeof FreshnessOptions>;
