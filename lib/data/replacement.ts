import { resolve } from 'node:path';
import type { Layer } from '../graph/layer.js';
import { Phase } from '../proto/index.js';
import { warn } from '../util/warnings.js';
import { dataKindOf, openDatabase } from './database.js';
import type { ColorMode } from './decode-image.js';
import { imageFolderEntries } from './class-folders.js';
import { ImageFiles } from './image-files.js';
import { readImageList } from './image-list.js';
import type { RecordSource } from './record.js';

/**
 * Tells, once, that a layer of the TRAIN phase reads what was given (`--data`) instead of `source`: what is trained or
 * calibrated on may then be what is scored, too.
 */
export function tellReplacedTraining(given: string, source: string, { name, context }: Layer): void {
  if (context.phase !== Phase.TRAIN || source === '') return;
  if (resolve(given) === resolve(context.baseFolder ?? '.', source)) return;
  warn(`layer '${name}' of the TRAIN phase reads ${given} instead of its own source, ${source}`);
}

/**
 * Opens what stands in for a layer's own source (`--data`): an LMDB, a LevelDB, a folder of class folders, or a
 * list of image files with their labels. The prototxt's sizes and root folder apply to images.
 */
export async function openReplacement(path: string, layer: Layer, mode: ColorMode): Promise<RecordSource> {
  const { context, name, param } = layer;
  tellReplacedTraining(path, param.data_param?.source || param.image_data_param?.source || '', layer);
  const full = resolve(path);
  const kind = dataKindOf(full, { layer: name });
  if (kind === 'lmdb' || kind === 'leveldb') return openDatabase(full, mode, name);
  const image = param.image_data_param;
  const entries =
    kind === 'folder'
      ? await imageFolderEntries(full, name)
      : readImageList(full, {
          rootFolder: image?.root_folder ?? '',
          baseFolder: context.baseFolder,
          layer: name,
          needsLabel: param.top.length > 1,
        });
  return new ImageFiles(entries, {
    place: full,
    layer: name,
    // A list of files has no Datum whose own channels could be kept.
    mode: mode === 'native' ? (image && !image.is_color ? 'gray' : 'color') : mode,
    height: image?.new_height ?? 0,
    width: image?.new_width ?? 0,
    shuffle: (image?.shuffle ?? false) && context.phase === Phase.TRAIN,
    seed: context.seed,
  });
}
