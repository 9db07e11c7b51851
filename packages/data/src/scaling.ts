import { formatShape, OutOfRangeError } from "@isthmus/core";
import { type ChannelScaling, channelScalings, type Scaling } from "@isthmus/graph";
import { createHash } from "@isthmus/platform";

/** Usual scaling for MNIST: mean and deviation of its training pixels. */
export const MNIST_SCALING: Scaling = Object.freeze({ mean: 0.1307, std: 0.3081 });

/** Usual scaling for Fashion-MNIST: mean and deviation of its training pixels. */
export const FASHION_MNIST_SCALING: Scaling = Object.freeze({ mean: 0.286, std: 0.353 });

/** Usual scaling for CIFAR-10: mean and deviation of its training pixels, by channel. */
export const CIFAR10_SCALING: Scaling = Object.freeze({
  mean: Object.freeze([0.4914, 0.4822, 0.4465]),
  std: Object.freeze([0.247, 0.2435, 0.2616]),
});

/** Usual scaling for CIFAR-100: mean and deviation of its training pixels, by channel. */
export const CIFAR100_SCALING: Scaling = Object.freeze({
  mean: Object.freeze([0.5071, 0.4865, 0.4409]),
  std: Object.freeze([0.2673, 0.2564, 0.2762]),
});

/** Scaling of bytes that are not recognised: to `[0, 1]`. */
export const UNIT_SCALING: Scaling = Object.freeze({ mean: 0, std: 1 });

/** A published set of images, recognised by the SHA-256 of its pixels (`[n, 28, 28]`, without any header). */
interface KnownImages {
  readonly bytes: number;
  readonly sha256: string;
  readonly scaling: Scaling;
}

/** The published sets, also used to check the images read from a package. */
export const KNOWN_IMAGES: Readonly<
  Record<"mnistTrain" | "mnistTest" | "fashionTrain" | "fashionTest", KnownImages>
> = {
  mnistTrain: {
    bytes: 60_000 * 784,
    sha256: "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    scaling: MNIST_SCALING,
  },
  mnistTest: {
    bytes: 10_000 * 784,
    sha256: "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    scaling: MNIST_SCALING,
  },
  fashionTrain: {
    bytes: 60_000 * 784,
    sha256: "e56fd60f2941e757a361b48922f2c8a3ea7b35e630755839bfef9fcb81294b31",
    scaling: FASHION_MNIST_SCALING,
  },
  fashionTest: {
    bytes: 10_000 * 784,
    sha256: "841657721bba8dcc95f5cd45b4c891cc03c7bd76d50924b692c656567a632825",
    scaling: FASHION_MNIST_SCALING,
  },
};

/**
 * Recognises a published set of images by its pixels alone,
 * and returns its scaling; undefined for other images.
 */
export function recogniseScaling(pixels: Uint8Array): Scaling | undefined {
  const candidates = Object.values(KNOWN_IMAGES).filter(({ bytes }) => bytes === pixels.length);
  if (candidates.length === 0) return undefined;
  const sha256 = createHash("sha256").update(pixels).digest("hex");
  return candidates.find((images) => images.sha256 === sha256)?.scaling;
}

/**
 * Returns the scaled value of every byte, `[256]`, in one table for all channels or one for each.
 * @param shape - shape of one example; if it has three axes, the first one is the channels
 * @throws OutOfRangeError if a mean is not finite, a deviation is not positive and finite, or there are more
 *   or fewer numbers than channels
 */
export function scaleTables(scaling: Scaling, shape: readonly number[]): Float32Array[] {
  const channels = channelScalings(scaling);
  const [extent] = shape.length === 3 ? shape : [1];
  if (channels.length !== 1 && channels.length !== extent) {
    throw new OutOfRangeError(
      `Cannot scale bytes as there must be one mean and one deviation, or one of each for every channel of the examples, ${formatShape(shape)}: there are ${channels.length}`,
    );
  }
  return channels.map(scaleTable);
}

/**
 * Returns the scaled value of every byte, `[256]`: `(byte / 255 - mean) / std`, each step rounded to f32 as
 * by PyTorch's `ToTensor` and `Normalize`, so that inputs have the same bits.
 */
function scaleTable({ mean, std }: ChannelScaling): Float32Array {
  if (!(Number.isFinite(mean) && Number.isFinite(std) && std > 0)) {
    throw new OutOfRangeError(
      `Cannot scale bytes as the mean must be finite and the deviation positive: they are ${mean} and ${std}`,
    );
  }
  const { fround } = Math;
  // A quotient or difference of two f32 numbers is the same if it is rounded from f64 or computed in f32.
  return Float32Array.from(
    { length: 256 },
    (_, byte) => fround(fround(byte / 255) - fround(mean)) / fround(std),
  );
}
