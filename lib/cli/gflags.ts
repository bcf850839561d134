import { UsageError } from '../errors/index.js';
import { ignoredFlags, type OptionRow, type OptionTable } from './options.js';

const TRUE = new Set(['true', 't', 'yes', 'y', '1']);
const FALSE = new Set(['false', 'f', 'no', 'n', '0']);

function booleanOf(name: string, text: string): boolean {
  const lower = text.toLowerCase();
  if (TRUE.has(lower)) return true;
  if (FALSE.has(lower)) return false;
  throw new UsageError(`flag --${name}: '${text}' is neither true nor false`);
}

const rowOf = (table: OptionTable, name: string): OptionRow | null =>
  Object.hasOwn(table, name) ? table[name] : null;

/** The name of a flag as tables spell it: gflags takes hyphens and underscores alike. */
const spelled = (written: string): string => written.replaceAll('-', '_');

/** The flag that an argument starts, if it does: `--model`, `-model=net`. */
const flagOf = (arg: string | undefined): [written: string, assigned: string | undefined] | null => {
  const match = /^--?([A-Za-z][^=]*)(?:=([\s\S]*))?$/.exec(arg ?? '');
  return match && [match[1], match[2]];
};

/**
 * Rewrites a command's arguments from the dialect of gflags, which the original's command lines are written in, to that
 * of Node's tools: one dash becomes two, `--flag value` becomes `--flag=value`, `--noflag` and `--flag=false`
 * become `--no-flag`, hyphens become underscores; the flags of glog are left out. What is no flag comes last, after
 * `--`. Flags that the table does not have stay as they are.
 */
export function fromGflags(args: readonly string[], table: OptionTable): string[] {
  const flags: string[] = [];
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--') {
      operands.push(...args.slice(i + 1));
      break;
    }
    const flag = flagOf(args[i]);
    if (!flag) {
      operands.push(args[i]);
      continue;
    }
    const [written, assigned] = flag;
    const name = spelled(written);
    const positive = name.replace(/^no_?/, '');
    const row = rowOf(table, name);
    if (!row && positive !== name && rowOf(table, positive)?.kind === 'boolean') {
      if (assigned !== undefined) throw new UsageError(`flag --${written} takes no value`);
      flags.push(`--no-${positive}`);
    } else if (!row) {
      if (!ignoredFlags.has(positive) && !ignoredFlags.has(name)) flags.push(args[i].replace(/^--?/, '--'));
      // A value of its own, where it can only be one.
      else if (assigned === undefined && !/stderr$/.test(name) && args[i + 1]?.match(/^[^-]/)) i++;
    } else if (row.kind === 'boolean') {
      flags.push(assigned === undefined || booleanOf(name, assigned) ? `--${name}` : `--no-${name}`);
    } else if (assigned !== undefined) {
      flags.push(`--${name}=${assigned}`);
    } else {
      // gflags takes the next argument whatever it looks like; one that is itself a known flag is a slip.
      const next = flagOf(args[i + 1]);
      if (args[i + 1] === undefined || (next && rowOf(table, spelled(next[0]))))
        throw new UsageError(`flag --${written} needs a value`);
      flags.push(`--${name}=${args[++i]}`);
    }
  }
  return [...flags, '--', ...operands];
}
