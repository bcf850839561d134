import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import { DataError, isError, RistrettoError } from '../../errors/index.js';
import { proxyFor, type Environment } from './proxy.js';

/** A server that says nothing for so long is given up. */
const IDLE_MILLISECONDS = 30_000;
const MAX_REDIRECTS = 5;

export interface OpenOptions {
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  environment?: Environment;
}

/** What a server answers. Its body is to be read, or the connection to be closed with `close`. */
export interface Answer extends Dispatcher.ResponseData {
  close(): void;
}

/** One request: https through a tunnel that a proxy cannot look into, http as a whole address. */
async function ask(url: URL, { headers, signal, environment = process.env }: OpenOptions): Promise<Answer> {
  const proxy = proxyFor(url, environment);
  const limits = {
    connect: { timeout: IDLE_MILLISECONDS },
    headersTimeout: IDLE_MILLISECONDS,
    bodyTimeout: IDLE_MILLISECONDS,
  };
  const token =
    proxy?.username &&
    `Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString('base64')}`;
  const dispatcher = proxy
    ? new ProxyAgent({ ...limits, uri: proxy.origin, token: token || undefined, proxyTunnel: false })
    : new Agent(limits);
  const close = () => void dispatcher.destroy().catch(() => undefined);
  try {
    return Object.assign(await request(url, { dispatcher, headers: { ...headers }, signal }), { close });
  } catch (error) {
    close();
    throw error;
  }
}

/** An address as errors and tables show it: what may be a password is left out. */
function shown(url: URL): string {
  const bare = new URL(url);
  [bare.username, bare.password] = ['', ''];
  return bare.href;
}

/** Why a request failed, in a sentence. */
function reasonOf(error: unknown): string {
  if (error instanceof RistrettoError) return error.reason;
  if (!isError(error)) return String(error);
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (/^UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT$/.test(code))
    return `nothing came for ${IDLE_MILLISECONDS / 1000} s`;
  const refused = /\((\d{3})\)/.exec(message)?.[1];
  if (refused && /proxy/i.test(message)) return `the proxy answers ${refused}`;
  return `cannot be reached (${code || message})`;
}

/**
 * Asks for an address, through the proxy that the environment names, and follows redirects. The answer may be of any
 * status. Node 20's own fetch knows no proxies.
 */
export async function openUrl(address: string, options: OpenOptions = {}): Promise<Answer> {
  if (!URL.canParse(address)) throw new DataError('is not a valid URL', { file: address });
  let url = new URL(address);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new DataError('is not an http or https URL', { file: shown(url) });
    try {
      const answer = await ask(url, options);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.statusCode) || typeof location !== 'string')
        return answer;
      answer.close();
      const next = new URL(location, url);
      if (url.protocol === 'https:' && next.protocol !== 'https:')
        throw new DataError('redirects to a URL without https');
      url = next;
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (error instanceof RistrettoError && !(error instanceof DataError)) throw error;
      throw new DataError(reasonOf(error), { file: shown(url), cause: error });
    }
  }
  throw new DataError(`redirects more than ${MAX_REDIRECTS} times`, { file: address });
}
