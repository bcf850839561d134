import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { connect, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { download, type DownloadOptions } from '../../../lib/util/download/index.js';
import { proxyFor } from '../../../lib/util/download/proxy.js';
import { run } from '../../parity/cli.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'download-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const content = Buffer.from(Uint32Array.from({ length: 50_000 }, (_, i) => Math.imul(i, 2654435761)).buffer);
const blobId = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

/** What the server was asked for. */
interface Asked {
  path: string;
  range?: string;
  host?: string;
}
const asked: Asked[] = [];
beforeEach(() => void (asked.length = 0));

/** Bytes after which /cut breaks off. */
const CUT = 70_000;

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const { range, host } = request.headers;
  const path = request.url!;
  asked.push({ path, range, host });
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const rest = content.subarray(from);
  switch (path) {
    case '/gone':
      return void response.writeHead(404).end('nothing here');
    case '/moved':
      return void response.writeHead(302, { location: '/file' }).end();
    case '/circle':
      return void response.writeHead(302, { location: '/circle' }).end();
    case '/wrong':
      return void response.writeHead(200).end('another file');
    case '/whole': // knows no ranges
      return void response.writeHead(200, { 'content-length': content.length }).end(content);
    case '/cut':
      response.writeHead(200, { 'content-length': content.length });
      return void response.write(content.subarray(0, CUT), () =>
        setTimeout(() => response.destroy(), 50).unref(),
      );
    default:
      if (!range) return void response.writeHead(200, { 'content-length': content.length }).end(content);
      if (from >= content.length) return void response.writeHead(416).end();
      response.writeHead(206, {
        'content-length': rest.length,
        'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
      });
      response.end(rest);
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const server = http.createServer(answer);
let host: string;
beforeAll(async () => void (host = await listen(server)));
afterAll(() => server.closeAllConnections());
afterAll(() => void server.close());

const get = (path: string, more: Partial<DownloadOptions> = {}) =>
  download({ url: `http://${host}${path}`, path: join(folder, 'net'), blobId, environment: {}, ...more });
const inside = (name: string) => join(folder, name);
const nothingIsLeft = () => ['net', 'net.part'].every((name) => !existsSync(inside(name)));

describe('download', () => {
  it('brings the file, tells how far it is, and is done at once the next time', async () => {
    const told: { done: number; total: number }[] = [];
    const result = await get('/moved', { onProgress: (progress) => told.push(progress) });
    expect(result).toEqual({ bytes: content.length, resumedFrom: 0, present: false });
    expect(readFileSync(inside('net')).equals(content)).toBe(true);
    expect(existsSync(inside('net.part'))).toBe(false);
    expect(told.at(-1)).toEqual({ done: content.length, total: content.length });
    expect(asked.map(({ path }) => path)).toEqual(['/moved', '/file']);
    expect(await get('/file')).toMatchObject({ present: true });
    expect(asked).toHaveLength(2);
  });

  it('goes on where an interrupted download ended', async () => {
    await expect(get('/cut')).rejects.toThrow(/\/cut: interrupted after \d+ bytes of 200000 .*goes on/);
    expect(existsSync(inside('net'))).toBe(false);
    const part = readFileSync(inside('net.part'));
    expect(part.equals(content.subarray(0, part.length))).toBe(true);
    expect(part.length).toBeGreaterThan(0);
    const result = await get('/file');
    expect(result).toEqual({ bytes: content.length, resumedFrom: part.length, present: false });
    expect(asked[1].range).toBe(`bytes=${part.length}-`);
    expect(readFileSync(inside('net')).equals(content)).toBe(true);
  });

  it('starts over where the server knows no ranges, or the part is of another file or too long', async () => {
    for (const [path, part] of [
      ['/whole', content.subarray(0, 1000)],
      ['/file', Buffer.alloc(1000, 7)],
      ['/file', Buffer.alloc(content.length + 1, 7)],
    ] as const) {
      writeFileSync(inside('net.part'), part);
      expect(await get(path)).toMatchObject({ resumedFrom: 0 });
      expect(readFileSync(inside('net')).equals(content)).toBe(true);
      rmSync(inside('net'));
    }
    writeFileSync(inside('net.part'), content);
    asked.length = 0;
    expect(await get('/file')).toMatchObject({ resumedFrom: content.length });
    expect(asked).toEqual([]);
  });

  it('refuses other content and leaves nothing of it', async () => {
    await expect(get('/wrong')).rejects.toThrow(
      new RegExp(`/wrong: 12 bytes with git's id [0-9a-f]{40} where ${blobId} is expected`),
    );
    expect(nothingIsLeft()).toBe(true);
    writeFileSync(inside('net'), 'mine');
    await expect(get('/file')).rejects.toThrow(/net: exists already and is another file/);
    expect(readFileSync(inside('net'), 'utf8')).toBe('mine');
  });

  it('says what is amiss', async () => {
    await expect(get('/gone')).rejects.toThrow(/127\.0\.0\.1:\d+\/gone: the server answers 404 Not Found/);
    await expect(get('/circle')).rejects.toThrow(/redirects more than 5 times/);
    await expect(get('/file', { url: 'ftp://host/x' })).rejects.toThrow(/is not an http or https URL/);
    await expect(get('/file', { url: 'here' })).rejects.toThrow(/here: is not a valid URL/);
    const closed = http.createServer();
    const nobody = await listen(closed);
    await new Promise((done) => closed.close(done));
    await expect(get('/file', { url: `http://u:secret@${nobody}/x` })).rejects.toThrow(
      `http://${nobody}/x: cannot be reached (ECONNREFUSED)`,
    );
    await expect(get('/file', { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow(
      'stopped',
    );
    expect(nothingIsLeft()).toBe(true);
  });
});

/** A proxy for both kinds of address that keeps what it was asked for. */
function makeProxy(seen: { line: string; login?: string }[], refuse = false): http.Server {
  const proxy = http.createServer((request, response) => {
    seen.push({ line: `${request.method} ${request.url}`, login: request.headers['proxy-authorization'] });
    http.get(request.url!, (inner) => {
      response.writeHead(inner.statusCode!, inner.headers);
      inner.pipe(response);
    });
  });
  proxy.on('connect', (request: http.IncomingMessage, socket) => {
    seen.push({ line: `CONNECT ${request.url}`, login: request.headers['proxy-authorization'] });
    if (refuse) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const [name, port] = request.url!.split(':');
    const inner = connect(Number(port), name, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      inner.pipe(socket).pipe(inner);
    });
    for (const end of [inner, socket]) end.on('error', () => [inner, socket].forEach((s) => s.destroy()));
  });
  return proxy;
}

const hasOpenSsl = (() => {
  try {
    return execFileSync('openssl', ['version']).length > 0;
  } catch {
    return false;
  }
})();

describe('a proxy', () => {
  it('passes http on, with its login', async () => {
    const seen: { line: string; login?: string }[] = [];
    const proxy = makeProxy(seen);
    const at = await listen(proxy);
    await get('/file', { environment: { http_proxy: `http://user:p%40ss@${at}` } });
    expect(seen).toEqual([
      {
        line: `GET http://${host}/file`,
        login: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
      },
    ]);
    expect(asked[0].host).toBe(host);
    proxy.close();
  });

  it('says what it refuses', async () => {
    const seen: { line: string }[] = [];
    const proxy = makeProxy(seen, true);
    const environment = { HTTPS_PROXY: await listen(proxy) };
    await expect(get('/file', { url: 'https://example.org/x', environment })).rejects.toThrow(
      'https://example.org/x: the proxy answers 407',
    );
    expect(seen.map(({ line }) => line)).toEqual(['CONNECT example.org:443']);
    proxy.close();
  });

  it.skipIf(!hasOpenSsl)('carries https in a tunnel (skipped without openssl)', async () => {
    const [key, cert] = ['key.pem', 'cert.pem'].map(inside);
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const make = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
    ];
    execFileSync('openssl', [...make, ...names], { stdio: 'ignore' });
    const secure = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer);
    const port = (await listen(secure)).split(':')[1];
    const seen: { line: string }[] = [];
    const proxy = makeProxy(seen);
    // A process of its own: certificates to trust are read when it starts.
    const { code, stderr } = await run(
      'ristretto',
      ['fetch', 'squeezenet_v1.1', inside('out'), '--weights_only', `--from=https://localhost:${port}/a/`],
      {
        NODE_EXTRA_CA_CERTS: cert,
        https_proxy: await listen(proxy),
        NO_PROXY: '',
        no_proxy: '',
      },
    );
    // The whole of a file came through, and it is not SqueezeNet.
    expect(stderr).toMatch(
      new RegExp(`squeezenet_v1.1.caffemodel: 200000 bytes with git's id ${blobId} where 9d2fc33a`),
    );
    expect(code).toBe(1);
    expect(seen.map(({ line }) => line)).toEqual([`CONNECT localhost:${port}`]);
    expect(asked.map(({ path }) => path)).toEqual(['/a/squeezenet_v1.1.caffemodel']);
    for (const one of [secure, proxy]) one.close();
  });

  it.each<[string, Record<string, string>, string | null]>([
    ['https://a.org/x', {}, null],
    ['https://a.org/x', { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128/'],
    ['https://a.org/x', { HTTP_PROXY: 'http://proxy' }, null],
    ['http://a.org/x', { HTTP_PROXY: 'http://proxy' }, 'http://proxy/'],
    ['https://a.org/x', { all_proxy: 'http://all' }, 'http://all/'],
    ['https://a.org/x', { HTTPS_PROXY: 'http://one', https_proxy: 'http://two' }, 'http://two/'],
    ['https://a.org/x', { HTTPS_PROXY: 'http://one', https_proxy: '' }, null],
    ['https://a.org/x', { HTTPS_PROXY: 'http://p', NO_PROXY: 'b.org, a.org' }, null],
    ['https://sub.a.org/x', { HTTPS_PROXY: 'http://p', NO_PROXY: '.a.org' }, null],
    ['https://sub.a.org/x', { HTTPS_PROXY: 'http://p', NO_PROXY: '*.a.org' }, null],
    ['https://nota.org/x', { HTTPS_PROXY: 'http://p', NO_PROXY: 'a.org' }, 'http://p/'],
    ['https://a.org:8443/x', { HTTPS_PROXY: 'http://p', NO_PROXY: 'a.org:443' }, 'http://p/'],
    ['https://a.org/x', { HTTPS_PROXY: 'http://p', no_proxy: '*' }, null],
  ])('for %s where %o is set: %s', (url, environment, expected) => {
    expect(proxyFor(new URL(url), environment)?.href ?? null).toBe(expected);
  });

  it('must be an address, and no password is told where it is none', () => {
    const ask = (HTTPS_PROXY: string) => () => proxyFor(new URL('https://a.org'), { HTTPS_PROXY });
    expect(ask('http://user:secret@:::')).toThrow(/^HTTPS_PROXY: is not a valid URL of a proxy$/);
    expect(ask('socks5://proxy')).toThrow(/speaks http or https here, not socks5/);
  });
});
