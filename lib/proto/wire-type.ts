import type { ScalarType } from './message.js';

/** How a value lies in a file. */
export const WireType = {
  VARINT: 0,
  FIXED64: 1,
  BYTES: 2,
  START_GROUP: 3,
  END_GROUP: 4,
  FIXED32: 5,
} as const;
export type WireType = (typeof WireType)[keyof typeof WireType];

/** The wire type of one value of each type, outside a packed field. */
export const wireTypeOf: Readonly<Record<ScalarType, WireType>> = {
  int32: WireType.VARINT,
  int64: WireType.VARINT,
  uint32: WireType.VARINT,
  bool: WireType.VARINT,
  enum: WireType.VARINT,
  float: WireType.FIXED32,
  double: WireType.FIXED64,
  string: WireType.BYTES,
  bytes: WireType.BYTES,
  message: WireType.BYTES,
};
