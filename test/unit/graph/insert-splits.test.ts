import { describe, expect, it } from 'vitest';
import { insertSplits } from '../../../lib/graph/index.js';
import { parseText } from '../../../lib/proto/index.js';

/** The layers of a net after the split, one line each: name: bottoms -> tops. */
function lines(text: string): string[] {
  return insertSplits(parseText('NetParameter', text)).layer.map(
    ({ name, bottom, top, loss_weight: weights }) =>
      `${name}: ${bottom.join(' ')} -> ${top.join(' ')}${weights.length ? ` [${weights.join(' ')}]` : ''}`,
  );
}

describe('insertSplits', () => {
  it('leaves a chain as it is', () => {
    const chain = `
      layer { name: "data" type: "Input" top: "data" }
      layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" }
      layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }`;
    expect(lines(chain)).toEqual(['data:  -> data', 'conv: data -> conv', 'relu: conv -> conv']);
  });

  it("splits a blob with two readers under Caffe's names", () => {
    const net = `
      layer { name: "data" type: "Data" top: "data" top: "label" }
      layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
      layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" }`;
    expect(lines(net)).toEqual([
      'data:  -> data label',
      'label_data_1_split: label -> label_data_1_split_0 label_data_1_split_1',
      'ip: data -> ip',
      'ip_ip_0_split: ip -> ip_ip_0_split_0 ip_ip_0_split_1',
      'loss: ip_ip_0_split_0 label_data_1_split_0 -> loss',
      'acc: ip_ip_0_split_1 label_data_1_split_1 -> acc',
    ]);
  });

  it('splits behind a layer in place, not before it', () => {
    const net = `
      layer { name: "in" type: "Input" top: "x" }
      layer { name: "relu" type: "ReLU" bottom: "x" top: "x" }
      layer { name: "a" type: "A" bottom: "x" top: "a" }
      layer { name: "b" type: "A" bottom: "x" bottom: "x" top: "b" }`;
    expect(lines(net)).toEqual([
      'in:  -> x',
      'relu: x -> x',
      'x_relu_0_split: x -> x_relu_0_split_0 x_relu_0_split_1 x_relu_0_split_2',
      'a: x_relu_0_split_0 -> a',
      'b: x_relu_0_split_1 x_relu_0_split_2 -> b',
    ]);
  });

  it('counts a loss weight as a reader and hangs it on the first copy', () => {
    const net = `
      layer { name: "in" type: "Input" top: "x" }
      layer { name: "loss" type: "Loss" bottom: "x" top: "l" top: "m" loss_weight: 2 loss_weight: 3 }
      layer { name: "a" type: "A" bottom: "l" top: "a" }`;
    expect(lines(net)).toEqual([
      'in:  -> x',
      'loss: x -> l m [0 3]',
      'l_loss_0_split: l -> l_loss_0_split_0 l_loss_0_split_1 [2 0]',
      'a: l_loss_0_split_1 -> a',
    ]);
  });
});
