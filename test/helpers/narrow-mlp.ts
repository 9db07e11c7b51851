import { fileURLToPath } from "node:url";

/**
 * Folder with two networks for the digits of MNIST, as `examples/mnist-mlp` has them: `graph.onnx`, `s0.safetensors` and
 * `s1.safetensors`. Their three hidden layers have 128 units instead of 512, so that what is done with them takes a fraction of the
 * time. `test/fixtures/narrow-mlp/train.sh` trains them.
 */
export const NARROW_MLP = fileURLToPath(new URL("../fixtures/narrow-mlp", import.meta.url));
