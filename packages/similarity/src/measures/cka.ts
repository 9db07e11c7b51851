import { OutOfRangeError } from "@isthmus/core";
import { centreGram } from "./centre.ts";
import { alignmentOf, createKernel, type HsicEstimator, hsic, type Kernel } from "./hsic.ts";
import type { Measure } from "./measure.ts";
import type { Representation } from "./representation.ts";

/** Kernel of a representation, and HSIC with itself. */
interface KernelForm {
  readonly kernel: Kernel;
  readonly self: number;
}

/** Names of kernels of samples in results. */
export type KernelName = "linear-cka" | "rbf-cka";

/**
 * Kernels of samples: scalar products; and `exp(-d^2 / (2 sigma^2))` of distances `d`, where `sigma` is the
 * bandwidth times the median distance of two samples.
 */
export const KERNELS: Readonly<
  Record<KernelName, (representation: Representation, bandwidth: number) => Promise<Kernel>>
> = {
  "linear-cka": async ({ gram, samples }) => createKernel(await centredGram(gram), samples),
  "rbf-cka": async ({ gram, samples }, bandwidth) => rbfKernel(await centredGram(gram), samples, bandwidth),
};

/** Creates CKA with a kernel. */
export function ckaMeasure(
  name: KernelName,
  { estimator, bandwidth }: { readonly estimator: HsicEstimator; readonly bandwidth: number },
): Measure<KernelForm> {
  return {
    async prepare(representation) {
      const kernel = await KERNELS[name](representation, bandwidth);
      return { kernel, self: hsic(kernel, kernel, estimator) };
    },
    async compare(a, b) {
      return { [name]: alignmentOf(hsic(a.kernel, b.kernel, estimator), [a.self, b.self]) };
    },
  };
}

async function centredGram(gram: Representation["gram"]): Promise<Float64Array> {
  return centreGram(await gram()).data as Float64Array;
}

/** Computes the kernel of distances from the scalar products of every two samples, and overwrites these. */
function rbfKernel(gram: Float64Array, samples: number, bandwidth: number): Kernel {
  const lengths = Float64Array.from({ length: samples }, (_, i) => gram[i * samples + i] as number);
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < samples; j++) {
      const product = gram[i * samples + j] as number;
      gram[i * samples + j] =
        i === j ? 0 : Math.max(0, (lengths[i] as number) + (lengths[j] as number) - 2 * product);
    }
  }
  const width = 2 * bandwidth ** 2 * medianOfPairs(gram, samples);
  // If most samples are equal, the width is 0, and the kernel of two different samples is 0.
  for (let i = 0; i < gram.length; i++) {
    const square = gram[i] as number;
    gram[i] = square === 0 ? 1 : Math.exp(-square / width);
  }
  return createKernel(gram, samples);
}

/** Returns the square of the median distance of two different samples. */
function medianOfPairs(squares: Float64Array, samples: number): number {
  const pairs = new Float64Array((samples * (samples - 1)) / 2);
  let count = 0;
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < i; j++) pairs[count++] = squares[i * samples + j] as number;
  }
  if (count === 0) {
    throw new OutOfRangeError(
      `Cannot compute distances of samples as there must be at least 2: got ${samples}`,
    );
  }
  pairs.sort();
  const [low, high] = [pairs[Math.floor((count - 1) / 2)] as number, pairs[Math.floor(count / 2)] as number];
  return ((Math.sqrt(low) + Math.sqrt(high)) / 2) ** 2;
}
