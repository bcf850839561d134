import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { DataError } from '../../errors/index.js';
import { assertWritable } from '../atomic-file.js';
import { withOutputLock } from '../output-lock.js';
import { gitBlobId } from './git-blob-id.js';
import { openUrl, type Answer } from './open-url.js';
import type { Environment } from './proxy.js';

export interface DownloadOptions {
  url: string;
  path: string;
  /** What git calls the content: anything else is refused. */
  blobId: string;
  signal?: AbortSignal;
  /** Where proxies are looked up; the process's where unset. */
  environment?: Environment;
  /** `total` is 0 where the server does not tell. */
  onProgress?(progress: { done: number; total: number }): void;
}

export interface DownloadResult {
  bytes: number;
  /** Bytes that an earlier, interrupted download had left. */
  resumedFrom: number;
  /** The file was there already. */
  present: boolean;
}

/** Where a download lies until it is whole. */
export const partOf = (path: string): string => `${path}.part`;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Asks for what is missing behind the first `from` bytes; a server may send the whole file all the same. */
async function request(
  { url, signal, environment }: DownloadOptions,
  from: number,
): Promise<{ response: Answer; start: number; total: number } | 'out of range'> {
  const headers = { 'accept-encoding': 'identity', 'user-agent': 'ristretto' };
  const range = from > 0 ? { range: `bytes=${from}-` } : undefined;
  const response = await openUrl(url, { headers: { ...headers, ...range }, signal, environment });
  const length = Number(response.headers['content-length'] ?? 0);
  switch (response.statusCode) {
    case 200:
      return { response, start: 0, total: length };
    case 206: {
      const start = Number(/^bytes (\d+)-/.exec(String(response.headers['content-range'] ?? ''))?.[1] ?? -1);
      if (start === from) return { response, start, total: length && from + length };
      response.close();
      return 'out of range';
    }
    case 416:
      response.close();
      return 'out of range';
    default:
      response.close();
      throw new DataError(
        `the server answers ${response.statusCode} ${STATUS_CODES[response.statusCode] ?? ''}`.trim(),
        { file: url },
      );
  }
}

/** Brings the rest of the file to the partial one; returns how many bytes of that were used. */
async function complete(options: DownloadOptions, partial: string): Promise<number> {
  const { signal, onProgress, url } = options;
  const from = sizeOf(partial);
  const answer = await request(options, from);
  if (answer === 'out of range') {
    if (from === 0) throw new DataError('the server sends another part than it was asked for', { file: url });
    rmSync(partial);
    return complete(options, partial);
  }
  const { response, start, total } = answer;
  let done = start;
  try {
    await pipeline(
      response.body,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          yield chunk;
          done += chunk.length;
          onProgress?.({ done, total });
        }
      },
      createWriteStream(partial, { flags: start > 0 ? 'a' : 'w' }),
      { signal },
    );
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new DataError(
      `interrupted after ${sizeOf(partial)} bytes${total ? ` of ${total}` : ''} (${code ?? message}); ` +
        'the same command goes on from there',
      { file: url, cause },
    );
  } finally {
    response.close();
  }
  return start;
}

/**
 * Downloads a file whose content is known beforehand. It is written beside its place and renamed when its content
 * has been checked; what an interrupted download leaves (`PATH.part`) is completed by the next one.
 */
export async function download(options: DownloadOptions): Promise<DownloadResult> {
  assertWritable(options.path);
  // Two that complete one part would each write into the other's bytes.
  return withOutputLock(options.path, () => downloadAlone(options));
}

async function downloadAlone(options: DownloadOptions): Promise<DownloadResult> {
  const { url, path, blobId } = options;
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing && (await gitBlobId(path)) === blobId)
    return { bytes: existing.size, resumedFrom: 0, present: true };
  if (existing)
    throw new DataError('exists already and is another file; remove it or download elsewhere', {
      file: path,
    });
  const partial = partOf(path);
  // A download may have ended between its last byte and the renaming.
  const left = sizeOf(partial);
  if (left > 0 && (await gitBlobId(partial)) === blobId) {
    renameSync(partial, path);
    return { bytes: left, resumedFrom: left, present: false };
  }
  let resumedFrom = await complete(options, partial);
  let got = await gitBlobId(partial);
  if (got !== blobId && resumedFrom > 0) {
    // The part may have been of another file: once more, from the start.
    rmSync(partial);
    resumedFrom = await complete(options, partial);
    got = await gitBlobId(partial);
  }
  if (got !== blobId) {
    const bytes = sizeOf(partial);
    rmSync(partial);
    throw new DataError(
      `${bytes} bytes with git's id ${got} where ${blobId} is expected: another version, or changed on its way`,
      { file: url },
    );
  }
  renameSync(partial, path);
  return { bytes: sizeOf(path), resumedFrom, present: false };
}
