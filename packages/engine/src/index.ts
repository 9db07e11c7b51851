export {
  CREATE_DATA_SET_DEFAULTS,
  type CreateDataSetOptions,
  createDataSet,
} from "./datasets/create-data-set.ts";
export {
  CREATE_TEXT_DATA_SET_DEFAULTS,
  type CreateTextDataSetOptions,
  createTextDataSet,
} from "./datasets/create-text-data-set.ts";
export { decodeIdx } from "./datasets/decode-idx.ts";
export { decodeNpy } from "./datasets/decode-npy.ts";
export { OPEN_DATA_SET_DEFAULTS, type OpenDataSetOptions, openDataSet } from "./datasets/open-data-set.ts";
export { DATA_SET_FORMS, type Split } from "./datasets/parse-data-set-name.ts";
export { readIdx } from "./datasets/read-idx.ts";
export { readNpy } from "./datasets/read-npy.ts";
export { type Npz, openNpz, readNpz } from "./datasets/read-npz.ts";
export { FASHION_MNIST_SCALING, MNIST_SCALING, UNIT_SCALING } from "./datasets/scaling.ts";
export { createOnnxRuntimeEngine } from "./onnxruntime/create-onnxruntime-engine.ts";
export { createTfjsEngine, type TfjsEngineOptions } from "./tfjs/create-tfjs-engine.ts";
export { TFJS_BACKENDS, type TfjsBackend } from "./tfjs/tfjs-backend.ts";
