#!/bin/bash
# h5wasm 0.10.3 (HDF5 2.0.0 in WebAssembly): integers whose type has fewer bits than bytes x 8 (H5Tset_precision, as
# cameras' 12 bits in 16) are read as their raw bits: -3 of 12 bits is 4093. Neither an exception nor a field of
# `metadata` or `dtype` tells them from whole ones. HDF5's own conversion, as in h5py, extends the sign: -3.
# The memory type is a copy of the file's, so nothing is converted. float16, in contrast, is an exception.
# Seen: h5wasm [4093, 4095, 100], metadata {signed: true, size: 2}; h5py 3.7.0 (where installed) [-3, -1, 100].
# Exits non-zero where this changes.
set -eu
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
npm init -y > /dev/null
npm install --silent --no-fund --no-audit h5wasm@0.10.3 > /dev/null
cat > run.mjs <<'J'
import h5wasm from 'h5wasm/node';
import { readFileSync, writeFileSync } from 'node:fs';
await h5wasm.ready;
const values = Int16Array.of(-3, -1, 100);
// The old object headers have no checksum, so the type's precision can be set in the file as H5Tset_precision would.
const made = new h5wasm.File('whole.h5', 'w', { libver: ['earliest', 'latest'] });
made.create_dataset({ name: 'x', data: values, shape: [3], dtype: '<h' });
made.close();
const bytes = readFileSync('whole.h5');
// Datatype message: version 1 and class 0 (integer), signed, 2 bytes, bit offset 0, precision 16.
const type = bytes.indexOf(Buffer.from([0x10, 0x08, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0]));
const data = bytes.indexOf(Buffer.from(values.buffer));
if (type < 0 || data < 0) throw new Error('the file is laid out otherwise');
bytes[type + 10] = 12;
for (let i = 1; i < 6; i += 2) bytes[data + i] &= 0x0f; // padding bits are 0
writeFileSync('bits12.h5', bytes);
const file = new h5wasm.File('bits12.h5', 'r');
const { value, metadata, dtype } = file.get('x');
console.log('h5wasm', [...value], JSON.stringify(metadata), dtype);
file.close();
const same = [...value].join() === '4093,4095,100' && metadata.size === 2 && metadata.signed && !('precision' in metadata);
process.exit(same ? 0 : 1);
J
node run.mjs
/usr/bin/python3 -c "
import h5py, sys
seen = h5py.File('bits12.h5')['x'][:].tolist()
print('h5py', h5py.__version__, seen)
sys.exit(seen != [-3, -1, 100])" 2>/dev/null || { /usr/bin/python3 -c 'import h5py' 2>/dev/null && exit 1 || echo 'h5py: not installed'; }
