import { UsageError } from '../errors/index.js';
import { deviceLine } from './original-lines.js';
import type { LogSite } from './glog.js';
import type { Output } from './output.js';

/**
 * Answers --gpu: this version computes on the CPU, so a wish for a GPU is met with a warning, or with an error
 * where --require_gpu says so.
 */
export function chooseDevice(
  { gpu, require_gpu }: { gpu: string | undefined; require_gpu: boolean },
  output: Output,
  site: LogSite,
): void {
  if (gpu !== undefined && !/^(all|\d+(,\d+)*)$/.test(gpu))
    throw new UsageError(`flag --gpu: '${gpu}' is neither 'all' nor a list of device ids`);
  const missing = 'no usable GPU (this version computes on the CPU)';
  if (require_gpu) throw new UsageError(missing);
  if (gpu !== undefined) output.warn(`${missing}: --gpu=${gpu} runs on the CPU`);
  output.log(deviceLine(site));
}
