import { countOf, type Blob } from '../blob/index.js';
import { create } from '../proto/index.js';
import { AliasLayer } from './alias-layer.js';

/**
 * Replaces `num_axes` axes from `axis` on (-1: all that follow) by those of `shape`, where 0 copies the bottom's
 * dimension at the same place and one -1 takes what is left.
 */
export class Reshape extends AliasLayer {
  override reshape([bottom]: readonly Blob[], [top]: readonly Blob[]): void {
    this.refuseInPlace(bottom, top);
    const param = this.param.reshape_param ?? create('ReshapeParameter');
    const rank = bottom.shape.length;
    // One more place than there are axes: -1 stands behind the last.
    const start = param.axis < 0 ? param.axis + rank + 1 : param.axis;
    if (start < 0 || start > rank)
      this.fail(`${param.axis} is out of range for bottom ${bottom.shapeText}`, 'reshape_param.axis');
    if (param.num_axes < -1) this.fail('must be at least -1', 'reshape_param.num_axes');
    const end = param.num_axes < 0 ? rank : start + param.num_axes;
    if (end > rank) this.fail(`ends beyond the axes of bottom ${bottom.shapeText}`, 'reshape_param.num_axes');
    const field = 'reshape_param.shape';
    const replaced = (param.shape?.dim ?? []).map((dim, i) => {
      if (dim !== 0) return dim;
      if (start + i >= rank)
        this.fail(`dim ${i} is 0, but bottom ${bottom.shapeText} has no axis there`, field);
      return bottom.shape[start + i];
    });
    if (replaced.some((dim) => dim < -1)) this.fail('dimensions must be at least -1', field);
    const inferred = replaced.indexOf(-1);
    if (inferred !== replaced.lastIndexOf(-1)) this.fail('only one dimension may be -1', field);
    const shape = [...bottom.shape.slice(0, start), ...replaced, ...bottom.shape.slice(end)];
    if (inferred >= 0) {
      shape[start + inferred] = 1;
      const known = countOf(shape);
      if (known === 0 || bottom.count % known)
        this.fail(`the ${bottom.count} elements of the bottom are no multiple of ${known}`, field);
      shape[start + inferred] = bottom.count / known;
    }
    if (countOf(shape) !== bottom.count)
      this.fail(`(${shape.join(', ')}) does not have the ${bottom.count} elements of the bottom`, field);
    this.alias(bottom, top, shape);
  }
}
