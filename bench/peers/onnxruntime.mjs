// ONNX Runtime as a contestant: one encoded model on a number of threads, on one input.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sessionOptions = (threads) => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
});

/** @returns `run` for timing, `output` for the values of the first output, `feed` to change the input */
export async function onnxruntime(model, threads, input, shape, values) {
  const ort = (await import('onnxruntime-node')).default;
  const session = await ort.InferenceSession.create(model, sessionOptions(threads));
  const feeds = {};
  const feed = (given) => {
    feeds[input] = new ort.Tensor('float32', given, shape);
  };
  feed(values);
  const name = session.outputNames[0];
  return {
    feed,
    run: async () => {
      await session.run(feeds);
    },
    output: async () => Float32Array.from((await session.run(feeds))[name].data),
    close: () => session.release(),
  };
}

/** The model as onnxruntime's optimiser leaves it on this machine. */
export async function optimised(model) {
  const ort = (await import('onnxruntime-node')).default;
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-bench-'));
  try {
    const file = join(folder, 'optimised.onnx');
    const session = await ort.InferenceSession.create(model, {
      ...sessionOptions(1),
      optimizedModelFilePath: file,
      // It warns that the file suits this processor alone, which is what is wanted here.
      logSeverityLevel: 3,
    });
    await session.release();
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
