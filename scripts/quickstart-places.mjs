import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';

/** The last value that the command line gives a flag, `--name=value`, `--name value` or with one hyphen; null: none. */
export function flagValue(given, name) {
  let value = null;
  for (const [i, argument] of given.entries()) {
    const [flag, ...rest] = argument.split('=');
    if (flag !== `--${name}` && flag !== `-${name}`) continue;
    value = rest.length > 0 ? rest.join('=') : (given[i + 1] ?? '');
  }
  return value;
}

/**
 * Name of the folder for what is found out about a net of the user's: told by the names of the net's file and its
 * folder, and its own for other files of these names, other weights, and another trimming mode. Paths start from
 * `folder`.
 */
export function netFolder(given, folder) {
  const files = ['model', 'weights'].map((name) => resolve(folder, flagValue(given, name) ?? ''));
  const key = [...files, flagValue(given, 'trimming_mode') ?? ''].join('\n');
  const names = [basename(dirname(files[0])), basename(files[0]).replace(/\.prototxt$/, '')];
  const legible = names.map((name) => name.replace(/[^\w.-]+/g, '_')).filter(Boolean);
  return [...legible, createHash('sha256').update(key).digest('hex').slice(0, 6)].join('-');
}
