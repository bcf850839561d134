import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';

/** The id that git gives a file's content: SHA-1 over `blob`, its length and its bytes. */
export async function gitBlobId(path: string): Promise<string> {
  const hash = createHash('sha1').update(`blob ${statSync(path).size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
