import { spawnSync } from 'node:child_process';

/** Whether protoc is installed; tests that compare with it are skipped, visibly, where it is not. */
export const protocMissing = spawnSync('protoc', ['--version']).status !== 0;

function run(mode: string, type: string, input: string | Uint8Array): Buffer {
  const result = spawnSync('protoc', [`--${mode}=caffe.${type}`, '--proto_path=proto', 'caffe.proto'], {
    input,
    maxBuffer: 2 ** 30,
  });
  if (result.status !== 0) throw new Error(result.stderr.toString());
  return result.stdout;
}

export function protocEncode(type: string, text: string): Buffer {
  return run('encode', type, text);
}

export function protocDecode(type: string, bytes: Uint8Array): string {
  return run('decode', type, bytes).toString('utf8');
}
