export * from './caffe.js';
export {
  clear,
  clone,
  create,
  enumName,
  equals,
  has,
  isMessage,
  type Init,
  type Message,
  type MessageName,
} from './message.js';
