import { join } from 'node:path';
import { UsageError } from '../../errors/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { download, partOf } from '../../util/download/index.js';
import { nearest } from '../../util/nearest.js';
import { command } from '../command.js';
import { publishedNets } from '../published-nets.js';
import { formatBytes, progressBar } from '../table.js';

const known = Object.keys(publishedNets);

export const fetchCommand = command({
  options: {
    weights_only: { kind: 'boolean', default: false, help: 'the weights without the prototxts' },
    from: { kind: 'string', value: 'URL', help: 'a copy of the published folder to download from instead' },
  },
  arguments: [
    { name: 'NET', help: known.join(' or ') },
    {
      name: 'FOLDER',
      help: "where the files go; a folder of the net's name where none is given",
      optional: true,
    },
  ],
  outputs: ({ positional: [name, folder = name] }) =>
    (Object.hasOwn(publishedNets, name) ? publishedNets[name].files : []).flatMap(({ name: file }) => [
      { path: join(folder, file), what: `the file ${file} of ${name}` },
      { path: partOf(join(folder, file)), what: `the part of ${file} that is there so far` },
    ]),
  folder: ({ positional: [name, folder = name] }) => folder,
  async run({ values, positional: [name, folder = name], output, signal }) {
    const net = Object.hasOwn(publishedNets, name) ? publishedNets[name] : undefined;
    if (!net) {
      const near = nearest(name, known);
      throw new UsageError(
        `'${name}' is not known${near ? `; did you mean ${near}?` : ''} Known are ${known.join(', ')}`,
        { field: 'NET' },
      );
    }
    const source = (values.from ?? net.url).replace(/\/+$/, '');
    const fetched = [];
    for (const { name: file, blobId, weights } of net.files) {
      if (values.weights_only && !weights) continue;
      const path = join(folder, file);
      const url = `${source}/${file}`;
      output.note(`Downloading ${url}`);
      const result = await download({
        url,
        path,
        blobId,
        signal,
        onProgress: ({ done, total }) =>
          output.status([
            total
              ? `${progressBar(done, total, 30)} ${file}: ${formatBytes(done)} of ${formatBytes(total)}`
              : `${file}: ${formatBytes(done)}`,
          ]),
      });
      output.status([]);
      const { bytes, resumedFrom, present } = result;
      const how = present
        ? ', was there already'
        : resumedFrom
          ? `, resumed after ${formatBytes(resumedFrom)}`
          : '';
      output.print(`${path}: ${formatBytes(bytes)}${how}`);
      fetched.push({ path, url, blobId, ...result });
    }
    if (values.json)
      writeFileAtomic(values.json, JSON.stringify({ net: name, files: fetched }, null, 2) + '\n');
  },
});
