import assert from 'node:assert/strict';
import {
  BadRequest,
  SignalboxError,
  UnsupportedFilter,
  UpstreamAbsent,
  UpstreamError,
  UpstreamLimited,
  UpstreamRefused,
} from '../../lib/providers/index.ts';

describe('errors', () => {
  const kinds: readonly [new (message: string) => SignalboxError, string, boolean][] = [
    [BadRequest, 'bad-request', false],
    [UnsupportedFilter, 'unsupported-filter', false],
    [UpstreamError, 'upstream-unreachable', true],
    [UpstreamRefused, 'upstream-refused', true],
    [UpstreamLimited, 'upstream-limited', true],
    [UpstreamAbsent, 'no-match', false],
  ];
  for (const [Kind, reason, isOutage] of kinds) {
    it(`${Kind.name} tells a stranger \`${reason}\``, () => {
      const error = new Kind('for the operator');
      assert.deepEqual([error.name, error.reason, error.message], [Kind.name, reason, 'for the operator']);
      assert.ok(error instanceof SignalboxError);
    });
    it(`${Kind.name} ${isOutage ? 'means' : 'does not mean'} that the backend could not be asked`, () => {
      assert.equal(new Kind('') instanceof UpstreamError, isOutage);
    });
  }

  it('UpstreamLimited knows when to come back, where the backend said so', () => {
    const at = new Date('2030-01-01T00:00:00Z');
    assert.equal(new UpstreamLimited('later', at).retryAt, at);
    assert.equal(new UpstreamLimited('later').retryAt, undefined);
  });
});
