import { resolve } from 'node:path';
import { create, type ImageDataParameter } from '../proto/index.js';
import { ImageFiles } from './image-files.js';
import { readImageList } from './image-list.js';
import { openReplacement } from './replacement.js';
import { RecordLayer } from './record-layer.js';
import type { RecordSource } from './record.js';

/** ImageData: the images of a list file (`path label` a line), resized as OpenCV does where sizes are given. */
export class ImageData extends RecordLayer {
  readonly #image: ImageDataParameter = this.param.image_data_param ?? create('ImageDataParameter');

  protected override get batchSize(): number {
    return this.#image.batch_size;
  }
  protected override get randSkip(): number {
    return this.#image.rand_skip;
  }

  protected override async open(): Promise<RecordSource> {
    const { source, is_color, new_height, new_width, shuffle, root_folder } = this.#image;
    if ((new_height === 0) !== (new_width === 0))
      this.fail('new_height and new_width must be set together', 'image_data_param.new_height');
    const mode = is_color ? 'color' : 'gray';
    const { dataSource, baseFolder, seed } = this.context;
    if (dataSource !== undefined) return openReplacement(dataSource, this, mode);
    if (!source) this.fail('is not set', 'image_data_param.source');
    const list = resolve(baseFolder ?? '.', source);
    const entries = readImageList(list, {
      rootFolder: root_folder,
      baseFolder,
      layer: this.name,
      needsLabel: this.param.top.length > 1,
    });
    return new ImageFiles(entries, {
      place: list,
      layer: this.name,
      mode,
      height: new_height,
      width: new_width,
      shuffle,
      seed,
    });
  }
}
