import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import { createWebEngine } from "@isthmus/engine/web";
import { type Excuses, testEngine } from "../../../test/helpers/engine-conformance.ts";

/** What TensorFlow.js does differently, and why. */
const TFJS_DIFFERENCES: Excuses = {
  "computes 64-bit integers exactly": "its integers have 32 bits; larger ones become the nearest there are",
  "computes in double precision": "its floats have 32 bits; others are refused",
};

testEngine("onnxruntime", createOnnxRuntimeEngine);
testEngine("onnxruntime-wasm", () => createWebEngine());
testEngine("tfjs-wasm", () => createTfjsEngine({ backend: "wasm" }), TFJS_DIFFERENCES);
testEngine("tfjs-cpu", () => createTfjsEngine({ backend: "cpu" }), TFJS_DIFFERENCES);
