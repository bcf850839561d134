import { dataLayers } from '../../../lib/data/index.js';
import { Net, type NetOptions } from '../../../lib/graph/index.js';
import { parseText } from '../../../lib/proto/index.js';

/** A net of data layers alone, every blob readable. */
export function dataNet(text: string, options: Partial<NetOptions> = {}): Promise<Net> {
  return Net.create({
    param: parseText('NetParameter', text),
    registry: dataLayers,
    keep: 'all',
    threads: 1,
    ...options,
  });
}
