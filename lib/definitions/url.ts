const LONGEST = 8_192;

/** Why GitLab would not take a URL, in its words; `undefined` for one that it takes. Surrounding blanks do not count. */
export function refusalOf(url: string): string | undefined {
  const text = url.trim();
  if (text === '') return 'must be a valid URL';
  if (text.length > LONGEST) return `is too long (maximum is ${LONGEST} characters)`;
  if (/[\u0000-\u001f\u007f]/.test(text) || !text.isWellFormed()) return 'is blocked: URI is invalid';
  const [, rest] = /^https?:(.*)$/.exec(text) ?? [];
  if (rest === undefined) return 'is blocked: Only allowed schemes are http, https';
  // A browser takes the first thing after any number of slashes for the host: no value may stand there.
  if (/^[/\\]*[^/\\?#]*%\{/.test(rest)) return 'is blocked: URI is invalid';
  const [, authority, path = ''] = /^\/\/([^/?#]*)(.*)$/.exec(rest) ?? [];
  if (authority === undefined) return undefined;
  if (authority === '') return path === '' ? 'is blocked: URI is invalid' : undefined;
  return refusalOfAuthority(authority);
}

function refusalOfAuthority(authority: string): string | undefined {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(host) ?? [];
  const isPort = port === undefined || (/^\d{0,5}$/.test(port) && Number(port) <= 65_535);
  if (!isPort || authority.includes('\\') || /[%{}<>"\s^`|]/.test(name)) return 'is blocked: URI is invalid';
  if (/^\[[\da-f:.]+\]$/i.test(name)) return undefined;
  return /^[\p{L}\p{N}]/u.test(name) ? undefined : 'is blocked: Hostname or IP address invalid';
}
