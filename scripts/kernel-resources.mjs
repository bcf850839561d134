// What ptxas says of every kernel for a GPU (registers, shared memory, spills), and which instructions its PTX has:
// what can be known of a kernel without a device.
//   node scripts/kernel-resources.mjs [--arch=sm_80] [--json=FILE] [name of a .cu file …]
// Exits with 1 where a kernel spills registers to memory.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from './setup.mjs';

const options = Object.fromEntries(
  process.argv
    .slice(2)
    .filter((arg) => arg.startsWith('--'))
    .map((arg) => arg.slice(2).split('=')),
);
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const arch = options.arch ?? 'sm_80';
const folder = join(root, 'native/cuda/op');
const flags = [
  '-std=c++20',
  '-O3',
  '--expt-relaxed-constexpr',
  '--fmad=false',
  `-arch=${arch}`,
  `-I${join(root, 'native')}`,
];

/** What is looked for in a kernel's PTX. */
const INSTRUCTIONS = {
  mma: /mma\.sync/g,
  wgmma: /wgmma\.mma_async/g,
  'cp.async': /cp\.async\.c[ag]/g,
  'bulk copies': /cp\.async\.bulk\.(shared|tensor)/g,
  ldmatrix: /ldmatrix/g,
  '16-byte loads': /ld\.(global|shared)[\w.]*\.v4\.[\w]*32/g,
  '16-byte stores': /st\.(global|shared)[\w.]*\.v4\.[\w]*32/g,
};

function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.error) throw new Error(`${command} cannot be run: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${result.stderr}`);
  return result;
}

/** Names as they are written, as far as c++filt knows them. */
function demangle(names) {
  const result = spawnSync('c++filt', names, { encoding: 'utf8' });
  const lines = result.status === 0 ? result.stdout.trim().split('\n') : names;
  return lines.map((line) =>
    line
      .replaceAll(/ristretto::(cuda::)?|\(anonymous namespace\)::|^void /g, '')
      .replaceAll(/\((int|bool|Rounding)\)/g, '')
      .replace(/\(.*\)$/s, ''),
  );
}

function kernelsOf(file, temporary) {
  const source = join(folder, file);
  const { stderr } = run('nvcc', [
    ...flags,
    '-cubin',
    '-Xptxas',
    '-v',
    '-o',
    join(temporary, 'kernel.cubin'),
    source,
  ]);
  const ptxFile = join(temporary, 'kernel.ptx');
  run('nvcc', [...flags, '-ptx', '-o', ptxFile, source]);
  const bodies = new Map();
  for (const body of readFileSync(ptxFile, 'utf8').split('.entry ').slice(1))
    bodies.set(/^\w+/.exec(body)[0], body);
  const found = [];
  const pattern =
    /Compiling entry function '(\w+)'[\s\S]*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads[\s\S]*?Used (\d+) registers([^\n]*)/g;
  for (const [, name, stack, stores, loads, registers, rest] of stderr.matchAll(pattern)) {
    const counts = Object.fromEntries(
      Object.entries(INSTRUCTIONS).map(([label, what]) => [
        label,
        (bodies.get(name)?.match(what) ?? []).length,
      ]),
    );
    const sharedBytes = Number(/(\d+) bytes smem/.exec(rest)?.[1] ?? 0);
    const spills = Number(stores) + Number(loads);
    found.push({
      file,
      name,
      registers: Number(registers),
      sharedBytes,
      stack: Number(stack),
      spills,
      counts,
    });
  }
  if (found.length) demangle(found.map(({ name }) => name)).forEach((name, i) => (found[i].name = name));
  return found;
}

const temporary = mkdtempSync(join(tmpdir(), 'kernel-resources-'));
try {
  const files = readdirSync(folder, { recursive: true }).filter(
    (file) => file.endsWith('.cu') && (wanted.length === 0 || wanted.includes(basename(file, '.cu'))),
  );
  const kernels = files.flatMap((file) => kernelsOf(file, temporary));
  for (const { file, name, registers, stack, spills, counts } of kernels) {
    const has = Object.entries(counts).filter(([, count]) => count > 0);
    console.log(
      `${file.padEnd(48)} ${String(registers).padStart(3)} registers, ${stack} stack, ${spills} spilled  ` +
        `${name}  ${has.map(([label, count]) => `${label} ${count}`).join(', ')}`,
    );
  }
  if (options.json) writeFileSync(options.json, JSON.stringify({ arch, kernels }, null, 2) + '\n');
  const spilling = kernels.filter(({ spills }) => spills > 0);
  console.log(`${arch}: ${kernels.length} kernels, ${spilling.length} spill registers`);
  process.exitCode = spilling.length > 0 ? 1 : 0;
} finally {
  rmSync(temporary, { recursive: true });
}
