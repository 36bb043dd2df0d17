/** What a stranger is told beside the picture, in `Badge-Reason`. */
export type Reason =
  | 'no-match'
  | 'not-among-newest'
  | 'upstream-unreachable'
  | 'upstream-refused'
  | 'upstream-limited'
  | 'unsupported-filter'
  | 'bad-request'
  | 'duplicate-argument'
  | 'unknown-source'
  | 'timeout'
  | 'internal-error';

/**
 * An error that Signalbox expects. `message` is for the operator and holds no secret, header or query string;
 * `reason` is for a stranger.
 */
export abstract class SignalboxError extends Error {
  abstract readonly reason: Reason;
}

/** The request cannot be understood. The message says what was wrong and what would be right, and may be shown. */
export class BadRequest extends SignalboxError {
  override readonly name = 'BadRequest';
  readonly reason: Reason = 'bad-request';
}

/** Neither the backend nor its answers can decide a filter of the query. The message may be shown. */
export class UnsupportedFilter extends SignalboxError {
  override readonly name = 'UnsupportedFilter';
  readonly reason = 'unsupported-filter';
}

/** The backend did not answer, or answered something we cannot read. */
export class UpstreamError extends SignalboxError {
  override readonly name: string = 'UpstreamError';
  readonly reason: Reason = 'upstream-unreachable';
}

/** The backend wants other credentials: 401, 403, a sign-in page, a redirect to another host. */
export class UpstreamRefused extends UpstreamError {
  override readonly name = 'UpstreamRefused';
  override readonly reason = 'upstream-refused';
}

/** The backend asks us to come back later. */
export class UpstreamLimited extends UpstreamError {
  override readonly name = 'UpstreamLimited';
  override readonly reason = 'upstream-limited';
  /** When to ask again; absent when the backend did not say. */
  readonly retryAt: Date | undefined;

  constructor(message: string, retryAt?: Date) {
    super(message);
    this.retryAt = retryAt;
  }
}

/** The backend says that there is no such thing, or none that our credentials may see. An answer, for the core. */
export class UpstreamAbsent extends SignalboxError {
  override readonly name = 'UpstreamAbsent';
  readonly reason = 'no-match';
}
