import { UsageError } from '../errors/index.js';
import { devices, useDevice, type DeviceOptions } from '../native/index.js';
import type { LogSite } from './glog.js';
import { cpuLine, gpuLines } from './original-lines.js';
import type { Output } from './output.js';

/** The ids of --gpu: 'all', or a list; undefined where the flag was not given. */
export function gpuIds(gpu: string | undefined): number[] | 'all' | undefined {
  if (gpu === undefined || gpu === 'all') return gpu;
  if (!/^\d+(,\d+)*$/.test(gpu))
    throw new UsageError(`flag --gpu: '${gpu}' is neither 'all' nor a list of device ids`);
  return gpu.split(',').map(Number);
}

interface DeviceChoice {
  gpu: string | undefined;
  require_gpu: boolean;
  /** MiB. */
  gpu_memory?: number;
  math?: DeviceOptions['math'];
}

/**
 * Answers --gpu: everything that is made from here on, memory and streams, belongs to the first GPU of the list. Where
 * it cannot be used the processor is, after a warning that says why, or an error where --require_gpu says so.
 */
export function chooseDevice(choice: DeviceChoice, output: Output, site: LogSite): void {
  const ids = gpuIds(choice.gpu);
  if (ids === undefined && !choice.require_gpu) {
    output.log(cpuLine(site));
    return;
  }
  const id = ids === undefined || ids === 'all' ? 0 : ids[0]!;
  try {
    useDevice(id, { memoryLimit: (choice.gpu_memory ?? 0) * 2 ** 20, math: choice.math });
  } catch (error) {
    const why = (error as Error).message;
    if (choice.require_gpu) throw new UsageError(`no usable GPU: ${why}`);
    output.warn(`no usable GPU: ${why}; --gpu=${choice.gpu} runs on the CPU`);
    output.log(cpuLine(site));
    return;
  }
  const { devices: all } = devices();
  const others = ids === 'all' ? all.map((gpu) => gpu.id) : (ids ?? [id]);
  if (others.length > 1) output.warn(`--gpu=${choice.gpu}: GPU ${id} alone is used`);
  gpuLines(site, id, all.find((gpu) => gpu.id === id)?.name ?? '').forEach((line) => output.log(line));
}
