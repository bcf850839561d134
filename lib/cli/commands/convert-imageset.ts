import { convertImageset, encodeTypes, inputFile } from '../../data/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { someOf } from '../../util/some-of.js';
import { command } from '../command.js';
import { linesOf, type OriginalLine } from '../original-lines.js';
import { progressBar } from '../table.js';

/** The original logs its progress after so many images. */
const LOG_INTERVAL = 1000;

const line = (site: number, text: string): OriginalLine => linesOf('convert_imageset.cpp', [[site, text]])[0];

export const convertImagesetCommand = command({
  options: {
    gray: { kind: 'boolean', default: false, help: 'images become gray' },
    shuffle: { kind: 'boolean', default: false, help: 'in random order' },
    seed: { kind: 'integer', min: 0, max: 2 ** 32 - 1, default: 1, help: "seed of the shuffle's order" },
    backend: { kind: 'choice', choices: ['lmdb', 'leveldb'], default: 'lmdb', help: 'the database to make' },
    resize_width: { kind: 'integer', default: 0, help: 'width that images are resized to; 0: as they are' },
    resize_height: { kind: 'integer', default: 0, help: 'height that images are resized to' },
    check_size: { kind: 'boolean', default: false, help: 'images of different sizes are an error' },
    encoded: { kind: 'boolean', default: false, help: 'store image files instead of pixels' },
    encode_type: {
      kind: 'string',
      value: 'TYPE',
      help: `type to store image files as (${encodeTypes.join(', ')}), instead of each file's own; implies --encoded`,
    },
  },
  arguments: [
    { name: 'ROOTFOLDER/', help: "folder that the list's paths start from" },
    { name: 'LISTFILE', reads: ['list'], help: 'an image and its label a line: `folder/image.jpg 7`' },
    { name: 'DB_NAME', writes: true, help: 'the database to make; nothing may be there yet' },
  ],
  // The images that the list names are read, too.
  inputs: ({ positional: [root, list] }) => [
    inputFile(list, 'LISTFILE', 'images', /^$|\/$/.test(root) ? root : `${root}/`),
  ],
  async run({ values, positional, output, signal }) {
    const [root, list, out] = positional;
    const skipped: { name: string; reason: string }[] = [];
    let emptyLabels: readonly number[] = [];
    let announced = false;
    let logged = 0;
    const processed = (count: number, site: number) => {
      logged = count;
      output.log(line(site, `Processed ${count} files.`));
    };
    const announce = (total: number) => {
      if (announced) return;
      announced = true;
      if (values.shuffle) output.log(line(86, 'Shuffling data'));
      output.log(line(89, `A total of ${total} images.`));
      if (values.encode_type && !values.encoded)
        output.log(line(92, 'encode_type specified, assuming encoded=true.'));
    };
    const result = await convertImageset({
      root,
      list,
      out,
      backend: values.backend,
      gray: values.gray,
      shuffle: values.shuffle,
      seed: values.seed,
      // Like the original: less than nothing is nothing.
      resizeHeight: Math.max(0, values.resize_height),
      resizeWidth: Math.max(0, values.resize_width),
      checkSize: values.check_size,
      encoded: values.encoded,
      encodeType: values.encode_type,
      signal,
      onStart: announce,
      onProgress({ done, stored, total }) {
        if (stored % LOG_INTERVAL === 0 && stored > logged) processed(stored, 147);
        output.status([`${progressBar(done, total, 30)} image ${done} of ${total}`]);
      },
      onSkip({ name, reason }) {
        skipped.push({ name, reason });
        if (output.mode === 'glog')
          output.log(
            { site: { file: 'io.cpp', line: 80 }, text: `Could not open or find file ${name}: ${reason}` },
            'E',
          );
        else output.warn(`${name} is left out: ${reason}`);
      },
      onEmptyLabels: (labels) => (emptyLabels = labels),
    });
    output.status([]);
    if (result.stored > logged) processed(result.stored, 153);
    if (skipped.length > 0)
      output.warn(
        `${skipped.length} of ${result.total} images cannot be read and are left out: ${someOf(skipped.map(({ name }) => name))}` +
          (emptyLabels.length > 0 ? `; no image is left of label ${someOf(emptyLabels)}` : ''),
      );
    if (values.gray && (values.encoded || values.encode_type) && values.resize_height <= 0)
      output.warn(
        'files that are stored as they are keep their colours, --gray or not: read them with force_gray in transform_param',
      );
    if (output.mode === 'terminal')
      output.print(
        `${out}: ${result.stored} images` + (result.skipped ? `, ${result.skipped} left out` : ''),
      );
    if (values.json)
      writeFileAtomic(values.json, JSON.stringify({ out, ...result, leftOut: skipped }, null, 2) + '\n');
  },
});
