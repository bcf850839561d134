import { inputFile, inputFilesOf } from '../data/index.js';
import { RistrettoError, UsageError } from '../errors/index.js';
import {
  fileKinds,
  filesNamedBySolver,
  fullFileKindOf,
  readNetText,
  readSolver,
  wrongKind,
  type FileKind,
} from '../proto/index.js';
import { isReadOnce, refuseMeetings, type NamedPath } from '../util/index.js';
import type { Command } from './command.js';
import type { FileUse, OptionTable } from './options.js';

/** Which commands take a kind of file, for those that have no flag for it. */
const takers: Partial<Record<FileKind, string>> = {
  net: 'which --model of `ristretto quantize` and `caffe test` takes',
  solver: 'which --solver of `caffe train` takes',
  weights: 'which --weights of `ristretto quantize`, `caffe test` and `caffe train` takes',
  solverState: 'which --snapshot of `caffe train` takes',
  blob: 'which mean_file in a prototxt takes',
  image: 'which `ristretto classify` takes',
  checkpoint: 'read with the solverstate of the same name, which --snapshot of `caffe train` takes',
};

/** A path that the command line gives, and what its row in the command's table says of it. */
interface GivenPath {
  path: string;
  what: string;
  row: FileUse;
}

function givenPaths(
  table: OptionTable,
  { arguments: places = [] }: Command,
  values: Readonly<Record<string, unknown>>,
  positional: readonly string[],
): GivenPath[] {
  const rows: [string, FileUse, unknown][] = [
    ...Object.entries(table).map(([name, row]): [string, FileUse, unknown] => [
      `--${name}`,
      row,
      values[name],
    ]),
    ...places.map((row, i): [string, FileUse, unknown] => [row.name, row, positional[i]]),
  ];
  return rows.flatMap(([what, row, value]) =>
    typeof value === 'string' && value !== '' && (row.reads || row.writes)
      ? (row.several ? value.split(',') : [value]).map((path) => ({ path, what, row }))
      : [],
  );
}

/** 'a', 'a or b', 'a, b or c'. */
function alternatives(kinds: readonly FileKind[]): string {
  const texts = kinds.map((kind) => fileKinds[kind]);
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** Throws where the content of a file says that another flag takes it. */
async function checkKind({ path, what, row }: GivenPath, table: OptionTable): Promise<void> {
  const { reads = [] } = row;
  if (reads.length === 0) return;
  const kind = await fullFileKindOf(path);
  if (kind === null || !wrongKind(kind, reads)) return;
  const flag = Object.entries(table).find(([, { reads: taken }]) => taken?.includes(kind))?.[0];
  const taken = flag ? `which --${flag} takes` : takers[kind];
  throw new UsageError(
    `is ${fileKinds[kind]}${taken ? `, ${taken}` : ''}; ${what} takes ${alternatives(reads)}`,
    { file: path },
  );
}

/** What a file that is read names in its turn. A file that cannot be read names nothing; its reader says why. */
function namedBy(given: GivenPath): NamedPath[] {
  const { path, what, row } = given;
  const named: NamedPath[] = [];
  // The command itself is to read it.
  if (isReadOnce(path)) return named;
  const ofNet = (file: string) => {
    if (isReadOnce(file)) return;
    try {
      named.push(...inputFilesOf(readNetText(file), file));
    } catch (error) {
      if (!(error instanceof RistrettoError)) throw error;
    }
  };
  if (row.reads?.includes('net')) ofNet(path);
  if (row.reads?.includes('solver'))
    try {
      const solver = readSolver(path);
      for (const { path: file, field, kind } of filesNamedBySolver(solver)) {
        named.push({ path: file, what: `${field} in ${what}` });
        if (kind === 'net') ofNet(file);
      }
      for (const net of [solver.net_param, solver.train_net_param, ...solver.test_net_param])
        if (net) named.push(...inputFilesOf(net, path));
    } catch (error) {
      if (!(error instanceof RistrettoError)) throw error;
    }
  return named;
}

/**
 * Checks the files of a command before it begins: each that is read is of a kind that its flag takes, and none that is
 * written is read as well, or written under two names. The command's table says which is which; what follows from
 * them (the files that a prototxt names, a journal beside an output) is found here or told by the command.
 */
export async function checkFiles(
  command: Command,
  table: OptionTable,
  values: Readonly<Record<string, unknown>>,
  positional: readonly string[],
): Promise<void> {
  const given = givenPaths(table, command, values, positional);
  for (const path of given) await checkKind(path, table);
  const context = { values, positional: [...positional] } as never;
  const outputs: NamedPath[] = [
    ...given.filter(({ row }) => row.writes),
    ...((await command.outputs?.(context)) ?? []),
  ];
  // Most runs write nothing.
  if (outputs.length === 0) return;
  const read = given.filter(({ row }) => row.reads);
  refuseMeetings(outputs, [
    ...read.map(({ path, what, row }) =>
      inputFile(path, what, row.reads!.includes('list') ? 'images' : 'blob'),
    ),
    ...read.flatMap(namedBy),
    ...((await command.inputs?.(context)) ?? []),
  ]);
}
