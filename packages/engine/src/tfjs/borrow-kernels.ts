import type { Tfjs } from "./tfjs-types.ts";

/** Kernels that gradients need and that the WebAssembly backend lacks. */
const BORROWED = [
  "Conv2DBackpropFilter",
  "DepthwiseConv2dNativeBackpropFilter",
  "DepthwiseConv2dNativeBackpropInput",
  "UnsortedSegmentSum",
] as const;

type Kernel = NonNullable<ReturnType<Tfjs["getKernel"]>>["kernelFunc"];
type TensorInfo = NonNullable<Parameters<Kernel>[0]["inputs"][string]>;

/**
 * Registers the kernels of the JavaScript backend for another backend if gradients need them and it lacks
 * them; they are slow but compute the same results.
 */
export function borrowKernels(tf: Tfjs, backendName: string): void {
  for (const kernelName of BORROWED) {
    if (tf.getKernel(kernelName, backendName) !== undefined) continue;
    const kernel = tf.getKernel(kernelName, "cpu")?.kernelFunc;
    if (kernel === undefined) continue;
    tf.registerKernel({ kernelName, backendName, kernelFunc: borrowed(tf, kernel) });
  }
}

function borrowed(tf: Tfjs, kernel: Kernel): Kernel {
  const move = ({ dataId, shape, dtype }: TensorInfo, from: string, to: string): TensorInfo => {
    const values = tf.findBackend(from).readSync(dataId);
    return { dataId: tf.findBackend(to).write(values, shape, dtype), shape, dtype };
  };
  return ({ inputs, attrs, backend }) => {
    const home = tf.getBackend();
    const cpu = tf.findBackend("cpu");
    const copies = Object.fromEntries(
      Object.entries(inputs).flatMap(([name, info]) => (info ? [[name, move(info, home, "cpu")]] : [])),
    );
    const args = {
      inputs: copies,
      backend: cpu as typeof backend,
      ...(attrs === undefined ? {} : { attrs }),
    };
    const result = [kernel(args)].flat()[0] as TensorInfo;
    const output = move(result, "cpu", home);
    for (const { dataId } of [...Object.values(copies), result]) cpu.disposeData(dataId);
    return output;
  };
}
