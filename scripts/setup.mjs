// What every top-level command does first: dependencies, addon, dist. Each step is skipped where it is done.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dependenciesInstalled } from './dependencies.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the project's folder with its output shown; ends this process where it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Installs the dependencies of package-lock.json unless they are there already. */
function installDependencies() {
  if (dependenciesInstalled(root)) return;
  // onnxruntime-node's package holds the CPU library; its own install step would fetch CUDA's. Our own install
  // step comes right after, through the build below, so scripts are not needed here at all.
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
}

export function setup({ tests = false } = {}) {
  installDependencies();
  run(process.execPath, [join(root, 'scripts', 'build.mjs'), ...(tests ? ['--tests'] : [])]);
}
