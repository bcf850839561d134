import { availableParallelism, cpus, totalmem } from 'node:os';
import { cpuFeatures, devices, type GpuInfo } from '../native/index.js';
import { formatBytes } from './table.js';

/** What this machine can run on. */
export interface Machine {
  processor: string;
  threads: number;
  /** Bytes. */
  memory: number;
  instructionSets: string[];
  gpus: GpuInfo[];
  /** Why there is no GPU; empty where there is one. */
  noGpu: string;
}

export function describeMachine(): Machine {
  const gpus = devices();
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    memory: totalmem(),
    instructionSets: Object.entries(cpuFeatures())
      .filter(([, present]) => present)
      .map(([name]) => name),
    gpus: gpus.devices,
    noGpu: gpus.why,
  };
}

function gpuLine(gpu: GpuInfo): string {
  const size = `${gpu.multiprocessors} multiprocessors, ${formatBytes(gpu.memory)}`;
  const name = gpu.name ? `${gpu.name}, compute capability ${gpu.capability}, ${size}` : 'no name';
  return `GPU ${gpu.id}:`.padEnd(18) + name + (gpu.unusable ? `: cannot be used: ${gpu.unusable}` : '');
}

/** The machine line by line; `gpus` limits the GPUs to these ids. */
export function machineLines(machine: Machine, gpus?: readonly number[]): string[] {
  const shown = machine.gpus.filter((gpu) => !gpus || gpus.includes(gpu.id));
  const missing = (gpus ?? []).filter((id) => !machine.gpus.some((gpu) => gpu.id === id));
  return [
    `Processor:        ${machine.processor}`,
    `Threads:          ${machine.threads}`,
    `Memory:           ${formatBytes(machine.memory)}`,
    `Instruction sets: ${machine.instructionSets.join(', ') || 'none that a kernel is made for'}`,
    ...shown.map(gpuLine),
    ...(machine.gpus.length > 0
      ? missing.map((id) => `GPU ${id}:`.padEnd(18) + 'there is no such GPU')
      : [`GPUs:             none (${machine.noGpu})`]),
  ];
}
