import { resolve } from 'node:path';
import { create, type ImageDataParameter } from '../proto/index.js';
import { imageFolderEntries } from './class-folders.js';
import { ImageFiles } from './image-files.js';
import { openReplacement } from './replacement.js';
import { RecordLayer } from './record-layer.js';
import type { RecordSource } from './record.js';

/**
 * ImageFolder (a type of our own): images of a folder of class folders, `image_data_param.source`; the other
 * fields of image_data_param mean what they mean for ImageData.
 */
export class ImageFolder extends RecordLayer {
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
    const folder = resolve(baseFolder ?? '.', root_folder + source);
    return new ImageFiles(await imageFolderEntries(folder, this.name), {
      place: folder,
      layer: this.name,
      mode,
      height: new_height,
      width: new_width,
      shuffle,
      seed,
    });
  }
}
