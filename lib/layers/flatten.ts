import type { Blob } from '../blob/index.js';
import { create } from '../proto/index.js';
import { AliasLayer } from './alias-layer.js';

/** Joins the axes from `axis` to `end_axis`, both included, into one. */
export class Flatten extends AliasLayer {
  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    this.refuseInPlace(bottom, top);
    const flatten = this.param.flatten_param ?? create('FlattenParameter');
    const first = bottom.axis(flatten.axis);
    const last = bottom.axis(flatten.end_axis);
    if (last < first) this.fail(`comes before axis ${first}`, 'flatten_param.end_axis');
    this.alias(bottom, top, [
      ...bottom.shape.slice(0, first),
      bottom.countFrom(first, last + 1),
      ...bottom.shape.slice(last + 1),
    ]);
  }

  override get splitsBatch(): boolean {
    return (this.param.flatten_param?.axis ?? 1) > 0;
  }
}
