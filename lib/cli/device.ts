import { UsageError } from '../errors/index.js';
import { Device, devices, useDevice, type DeviceOptions, type NativeDevice } from '../native/index.js';
import type { LogSite } from './glog.js';
import { cpuLine, gpuLines, severalGpuLines } from './original-lines.js';
import type { Output } from './output.js';

/** The ids of --gpu: 'all', or a list; undefined where the flag was not given. */
export function gpuIds(gpu: string | undefined): number[] | 'all' | undefined {
  if (gpu === undefined || gpu === 'all') return gpu;
  if (!/^\d+(,\d+)*$/.test(gpu))
    throw new UsageError(`flag --gpu: '${gpu}' is neither 'all' nor a list of device ids`);
  const ids = gpu.split(',').map(Number);
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined) throw new UsageError(`flag --gpu: '${gpu}' names GPU ${twice} twice`);
  return ids;
}

interface DeviceChoice {
  gpu: string | undefined;
  require_gpu: boolean;
  /** MiB. */
  gpu_memory?: number;
  math?: DeviceOptions['math'];
}

/**
 * Answers --gpu for a command that runs on one device: everything that is made from here on, memory and streams,
 * belongs to the first GPU of the list. Where it cannot be used the processor is, after a warning that says why, or an
 * error where --require_gpu says so.
 */
export function chooseDevice(choice: DeviceChoice, output: Output, site: LogSite): void {
  const ids = idsOf(choice, output);
  if (ids.length > 1) output.warn(`--gpu=${choice.gpu}: GPU ${ids[0]} alone is used`);
  const [chosen] = choose(ids.slice(0, 1), choice, output, site);
  if (chosen) gpuLines(site, chosen.id, nameOf(chosen)).forEach((line) => output.log(line));
}

/**
 * The same for a command that runs on all GPUs of the list: what is made belongs to the first one where no other is
 * said. A list of which some cannot be used is an error. Gives them, none where the processor is used.
 */
export function chooseDevices(choice: DeviceChoice, output: Output, site: LogSite): readonly NativeDevice[] {
  const chosen = choose(idsOf(choice, output), choice, output, site);
  const gpus = chosen.map((device) => ({ id: device.id, name: nameOf(device) }));
  const lines = gpus.length === 1 ? gpuLines(site, gpus[0].id, gpus[0].name) : severalGpuLines(site, gpus);
  if (gpus.length) lines.forEach((line) => output.log(line));
  return chosen;
}

/** The ids that a choice names; none for the processor. Of all GPUs those that can be used, the first where none can. */
function idsOf({ gpu, require_gpu }: DeviceChoice, output: Output): number[] {
  const ids = gpuIds(gpu);
  if (ids === undefined) return require_gpu ? [0] : [];
  if (ids !== 'all') return ids;
  const { devices: all } = devices();
  const usable = all.filter(({ unusable }) => !unusable);
  if (usable.length === 0) return [0];
  for (const { id, name, unusable } of all)
    if (unusable) output.warn(`--gpu=all: GPU ${id} (${name}) is left out: ${unusable}`);
  return usable.map(({ id }) => id);
}

function choose(
  ids: readonly number[],
  { gpu, require_gpu, gpu_memory, math }: DeviceChoice,
  output: Output,
  site: LogSite,
): NativeDevice[] {
  const options = { memoryLimit: (gpu_memory ?? 0) * 2 ** 20, math };
  try {
    if (ids.length)
      return [useDevice(ids[0], options)!, ...ids.slice(1).map((id) => new Device(id, options))];
  } catch (error) {
    useDevice(null);
    // The library's error stands for itself; here it follows words of the same meaning.
    const why = (error as Error).message.replace('no GPU can be used: ', '');
    if (require_gpu) throw new UsageError(`no usable GPU: ${why}`);
    // With fewer than were asked for, training would be another one.
    if (ids.length > 1 && devices().devices.some(({ unusable }) => !unusable))
      throw new UsageError(`flag --gpu: '${gpu}': ${why}`);
    output.warn(`no usable GPU: ${why}; --gpu=${gpu} runs on the CPU`);
  }
  output.log(cpuLine(site));
  return [];
}

function nameOf({ id }: NativeDevice): string {
  return devices().devices.find((gpu) => gpu.id === id)?.name ?? '';
}
