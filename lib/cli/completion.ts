import type { Command, CommandRow } from './command.js';
import { commonOptions, type OptionRow } from './options.js';
import { valueName } from './parse-flags.js';

/** A command with all that can follow it. */
interface Completed {
  words: string[];
  summary: string;
  flags: [name: string, row: OptionRow][];
}

export type Shell = 'bash' | 'zsh' | 'fish';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A path is what follows a flag that reads or writes. */
const takesFile = ({ reads, writes, kind }: OptionRow): boolean =>
  kind === 'string' && Boolean(reads ?? writes);

/** Commands of two words by their first; those of one word under ''. */
function grouped(commands: readonly Completed[]): Map<string, Completed[]> {
  const groups = new Map<string, Completed[]>([['', []]]);
  for (const command of commands) {
    const group = command.words.length > 1 ? command.words[0] : '';
    groups.set(group, [...(groups.get(group) ?? []), command]);
  }
  return groups;
}

/** The words that may stand first. */
const firstWords = (commands: readonly Completed[]): string[] => [
  ...new Set(commands.map(({ words }) => words[0])),
];

function bash(program: string, commands: readonly Completed[]): string {
  const cases = commands.map(({ words, flags }) => {
    const names = flags.map(([name, { kind }]) => (kind === 'boolean' ? `--${name}` : `--${name}=`));
    return `    ${quoted(words.join(' '))}) flags=${quoted(names.join(' '))} ;;`;
  });
  const values = new Map<string, string>();
  for (const { words, flags } of commands)
    for (const [name, { choices }] of flags)
      if (choices) values.set(`${words.join(' ')} --${name}`, choices.join(' '));
  const choices = [...values].map(([key, text]) => `    ${quoted(key)}) values=${quoted(text)} ;;`);
  const seconds = [...grouped(commands)]
    .filter(([group]) => group)
    .map(
      ([group, inside]) => `    ${group}) values=${quoted(inside.map(({ words }) => words[1]).join(' '))} ;;`,
    );
  return `# bash completion of ${program}: source this file, or put it into the folder of bash-completion.
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local flag= command= flags= values= word i
  # bash breaks words at '='.
  if [[ $current == '=' ]]; then flag=$before current=
  elif [[ $before == '=' ]]; then flag=\${COMP_WORDS[COMP_CWORD-2]}
  elif [[ $before == --* && $current != -* ]]; then flag=$before; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* || $word == '=' || \${COMP_WORDS[i-1]} == '=' ]] && continue
    command="\${command:+$command }$word"
  done
  case "$command $flag" in
${choices.join('\n')}
  esac
  if [[ -n $flag ]]; then
    if [[ -n $values ]]; then COMPREPLY=($(compgen -W "$values" -- "$current"))
    else COMPREPLY=($(compgen -f -- "$current")); fi
    return
  fi
  case $command in
    '') values=${quoted(firstWords(commands).join(' '))} ;;
${seconds.join('\n')}
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace
  elif [[ -n $values ]]; then COMPREPLY=($(compgen -W "$values" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _${program} ${program}
`;
}

function zsh(program: string, commands: readonly Completed[]): string {
  // Brackets and colons mean something to _arguments and _describe.
  const plain = (text: string) => text.replace(/[[\]]/g, '').replaceAll(':', '\\:');
  const flag = ([name, row]: [string, OptionRow]) => {
    if (row.kind === 'boolean') return quoted(`--${name}[${plain(row.help)}]`);
    const values = row.choices ? `(${row.choices.join(' ')})` : takesFile(row) ? '_files' : ' ';
    return quoted(`--${name}=[${plain(row.help)}]:${valueName(row)}:${values}`);
  };
  const branch = ({ words, flags }: Completed) =>
    `    ${words.at(-1)}) _arguments ${[...flags.map(flag), quoted('*: :_files')].join(' \\\n      ')} ;;`;
  const groups = [...grouped(commands)].filter(([group]) => group);
  const inside = ([group, members]: [string, Completed[]]) => `_${program}_${group}() {
  if ((CURRENT == 2)); then
    _values command ${members.map(({ words, summary }) => quoted(`${words[1]}[${plain(summary)}]`)).join(' ')}
    return
  fi
  shift words; ((CURRENT--))
  case $words[1] in
${members.map(branch).join('\n')}
  esac
}`;
  const top = commands
    .filter(({ words }) => words.length === 1)
    .map(({ words, summary }) => quoted(`${words[0]}[${plain(summary)}]`));
  return `#compdef ${program}
# zsh completion of ${program}: put this file as _${program} into a folder of $fpath.
${groups.map(inside).join('\n')}
_${program}() {
  if ((CURRENT == 2)); then
    _values command ${[...top, ...groups.map(([group]) => quoted(group))].join(' ')}
    return
  fi
  shift words; ((CURRENT--))
  case $words[1] in
${groups.map(([group]) => `    ${group}) _${program}_${group} ;;`).join('\n')}
${commands
  .filter(({ words }) => words.length === 1)
  .map(branch)
  .join('\n')}
  esac
}
compdef _${program} ${program}
`;
}

function fish(program: string, commands: readonly Completed[]): string {
  const first = firstWords(commands);
  const none = `not __fish_seen_subcommand_from ${first.join(' ')}`;
  const lines = [`# fish completion of ${program}: put this file into ~/.config/fish/completions.`];
  const say = (...parts: string[]) => lines.push(['complete', '-c', program, ...parts].join(' '));
  for (const word of first) {
    const summary = commands.find(({ words }) => words.length === 1 && words[0] === word)?.summary ?? '';
    say('-f', '-n', quoted(none), '-a', word, '-d', quoted(summary));
  }
  for (const { words, summary, flags } of commands) {
    const [group, second] = words;
    if (second)
      say('-f', '-n', quoted(`__fish_seen_subcommand_from ${group}`), '-a', second, '-d', quoted(summary));
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    for (const [name, row] of flags) {
      const values = row.choices
        ? ['-x', '-a', quoted(row.choices.join(' '))]
        : row.kind === 'boolean'
          ? []
          : takesFile(row)
            ? ['-r', '-F']
            : ['-x'];
      say('-n', quoted(seen), '-l', name, ...values, '-d', quoted(row.help));
    }
  }
  return lines.join('\n') + '\n';
}

const scripts: Record<Shell, (program: string, commands: readonly Completed[]) => string> = {
  bash,
  zsh,
  fish,
};

export const shells = Object.keys(scripts) as Shell[];

/** A script by which a shell completes the commands and flags of a program. */
export async function completionScript(
  shell: Shell,
  program: string,
  rows: readonly CommandRow[],
): Promise<string> {
  const load = async ({ name, summary, load: command }: CommandRow): Promise<Completed> => {
    const { options }: Command = await command();
    return { words: name.split(' '), summary, flags: Object.entries({ ...options, ...commonOptions }) };
  };
  return scripts[shell](program, await Promise.all(rows.map(load)));
}
