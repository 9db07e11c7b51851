/** Exports of the packages of TensorFlow.js. */
export type Tfjs = typeof import("@tensorflow/tfjs");

/** A tensor of TensorFlow.js, of any rank. */
export type TfTensor = import("@tensorflow/tfjs").Tensor;
