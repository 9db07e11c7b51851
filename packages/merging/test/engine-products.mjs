// Products by onnxruntime, as programs offer them to the threads of a merge.
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createProducts } from "@isthmus/linear-algebra";

export const openProducts = (threads) => createProducts(createOnnxRuntimeEngine(), threads);
