import { UsageError } from '../../errors/index.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a row of NO_PROXY names the host: `example.org` and `.example.org` cover all below it, `*` everything. */
function covers(row: string, host: string, port: string): boolean {
  const [, name, onlyPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(row)!;
  if (onlyPort && onlyPort !== port) return false;
  if (row === '*') return true;
  return name !== '' && (host === name || host.endsWith(`.${name}`));
}

/** The proxy that the environment asks for, as curl reads it: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY. */
export function proxyFor(url: URL, environment: Environment): URL | null {
  // An empty lower-case variable counts: it switches off what the upper-case one says.
  const variable = (name: string) => environment[name.toLowerCase()] ?? environment[name] ?? '';
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = variable(name) || variable('ALL_PROXY');
  if (!proxy) return null;
  const host = url.hostname.toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const exempt = variable('NO_PROXY')
    .toLowerCase()
    .split(/[\s,]+/);
  if (exempt.some((row) => row && covers(row, host, port))) return null;
  let parsed: URL;
  try {
    parsed = new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
  } catch (cause) {
    // The value may hold a password.
    throw new UsageError('is not a valid URL of a proxy', { field: name, cause });
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new UsageError(`a proxy speaks http or https here, not ${parsed.protocol.slice(0, -1)}`, {
      field: name,
    });
  return parsed;
}
