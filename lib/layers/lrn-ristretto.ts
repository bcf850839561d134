import type { Blob } from '../blob/index.js';
import { layerFormatsOf } from '../formats/index.js';
import {
  create,
  LRNParameter_NormRegion as Region,
  QuantizationParameter_Precision as Precision,
} from '../proto/index.js';
import { LRN } from './lrn.js';

/** LRN across channels with every intermediate result trimmed to a minifloat, ties to even. */
export class LRNRistretto extends LRN {
  override setup(bottom: readonly Blob[], top: readonly Blob[]): void {
    super.setup(bottom, top);
    const quantization = this.param.quantization_param ?? create('QuantizationParameter');
    if (quantization.precision !== Precision.MINIFLOAT)
      this.fail('LRN is quantised to minifloat only', 'quantization_param.precision');
    if (this.lrn.norm_region !== Region.ACROSS_CHANNELS)
      this.fail('LRN is quantised across channels only', 'lrn_param.norm_region');
    const { input } = layerFormatsOf(quantization, { layer: this.name });
    this.trim = { ...input!, rounding: this.context.rounding ?? 'halfToEven' };
  }
}
