import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DataError, RistrettoError } from '../../errors/index.js';
import { proxyFor, type Environment } from './proxy.js';

/** A server that says nothing for so long is given up. */
const IDLE_MILLISECONDS = 30_000;
const MAX_REDIRECTS = 5;

export interface OpenOptions {
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  environment?: Environment;
}

type Headers = Record<string, string>;

const requestOf = (url: URL) => (url.protocol === 'https:' ? https.request : http.request);

/** Resolves with the request's response, or with the socket of a CONNECT that was granted. */
function settle<T>(request: http.ClientRequest, event: 'response' | 'connect'): Promise<T> {
  return new Promise((resolve, reject) => {
    request.setTimeout(IDLE_MILLISECONDS, () =>
      request.destroy(new DataError(`nothing came for ${IDLE_MILLISECONDS / 1000} s`)),
    );
    request.on('error', reject);
    if (event === 'response') request.on('response', (response) => resolve(response as T));
    else
      request.on('connect', (response: http.IncomingMessage, socket: Socket) => {
        if (response.statusCode === 200) return resolve(socket as T);
        socket.destroy();
        reject(
          new DataError(`the proxy answers ${response.statusCode} ${response.statusMessage ?? ''}`.trim()),
        );
      });
    request.end();
  });
}

function proxyHeaders({ username, password }: URL): Headers {
  if (!username) return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}

/** One request. Through a proxy, https goes in a tunnel that it cannot look into, http as a whole address. */
async function ask(url: URL, { headers, signal, environment = process.env }: OpenOptions) {
  const proxy = proxyFor(url, environment);
  if (!proxy) return settle<http.IncomingMessage>(requestOf(url)(url, { headers, signal }), 'response');
  const way = {
    protocol: proxy.protocol,
    hostname: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port,
  };
  if (url.protocol === 'http:') {
    const all = { ...headers, host: url.host, ...proxyHeaders(proxy) };
    const path = `${url.origin}${url.pathname}${url.search}`;
    const request = requestOf(proxy)({ ...way, path, headers: all, signal });
    return settle<http.IncomingMessage>(request, 'response');
  }
  const target = `${url.hostname}:${url.port || 443}`;
  const socket = await settle<Socket>(
    requestOf(proxy)({
      ...way,
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyHeaders(proxy) },
      signal,
    }),
    'connect',
  );
  const createConnection = () => connectTls({ socket, servername: url.hostname });
  return settle<http.IncomingMessage>(
    https.request(url, { headers, signal, agent: false, createConnection }),
    'response',
  );
}

/** An address as errors and tables show it: what may be a password is left out. */
function shown(url: URL): string {
  const bare = new URL(url);
  [bare.username, bare.password] = ['', ''];
  return bare.href;
}

/**
 * Asks for an address, through the proxy that the environment names, and follows redirects. The answer may be of
 * any status; its body is the caller's to read. Node 20's own fetch knows no proxies.
 */
export async function openUrl(address: string, options: OpenOptions = {}): Promise<http.IncomingMessage> {
  if (!URL.canParse(address)) throw new DataError('is no address', { file: address });
  let url = new URL(address);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new DataError('is no http or https address', { file: shown(url) });
    try {
      const response = await ask(url, options);
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.statusCode!) || !location) return response;
      response.resume();
      const next = new URL(location, url);
      if (url.protocol === 'https:' && next.protocol !== 'https:')
        throw new DataError('redirects to an address without https');
      url = next;
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof RistrettoError && !(error instanceof DataError)) throw error;
      const reason =
        error instanceof RistrettoError ? error.reason : `cannot be reached (${code ?? message})`;
      throw new DataError(reason, { file: shown(url), cause: error });
    }
  }
  throw new DataError(`redirects more than ${MAX_REDIRECTS} times`, { file: address });
}
