import { OutOfRangeError, sizeOf } from "@isthmus/core";
import { maxPool, relu, reshape, type Value } from "@isthmus/graph/builder";
import { imageShape } from "../image-shape.ts";
import { HE_FAN_IN } from "../initializer.ts";
import { convolution } from "../layers/convolution.ts";
import { linear } from "../layers/linear.ts";
import type { Network, NetworkShape } from "../network.ts";
import { NetworkBuilder } from "../network-builder.ts";
import { resolveNetwork } from "../resolve-network.ts";

/** Channels of the convolutions, and the side of their kernels. */
const CHANNELS = [6, 16] as const;
const SIDE = 5;
/** Numbers of hidden units of the head. */
const HIDDEN = [120, 84] as const;
/** Minimum side of an image, for which the second pooling leaves one pixel. */
const LEAST_SIDE = 16;

/**
 * Builds LeNet-5 in its usual modern form, with rectifiers and max pooling: two 5x5 convolutions of 6 and 16
 * channels without padding, `features.0` and `features.3`, each followed by a pooling that halves the image;
 * then linear layers of 120 and 84 units and the logits, `classifier.0`, `.2` and `.4`. For images of 28 x 28
 * pixels and ten classes it has 44,426 parameters.
 *
 * Initial weights are normal of variance 2 over the fan-in, and biases 0.
 * @throws InputError if examples are not images
 * @throws OutOfRangeError if images have fewer than 16 pixels a side
 * @see LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.B
 */
export function lenet(shape: NetworkShape): Network {
  resolveNetwork("lenet", { defaults: {}, options: {}, shape });
  const image = imageShape("lenet", shape);
  assertSide(image);
  const network = new NetworkBuilder("lenet");
  let x: Value = network.input("x", shape.exampleShape);
  CHANNELS.forEach((out, stage) => {
    const options = { out, side: SIDE, pad: 0, bias: true, initializer: HE_FAN_IN };
    x = maxPool(relu(convolution(network, x, `features.${3 * stage}`, options)), [2, 2]);
  });
  x = reshape(x, [-1, sizeOf(x.shape.slice(1))]);
  HIDDEN.forEach((out, layer) => {
    x = relu(linear(network, x, `classifier.${2 * layer}`, { out, initializer: HE_FAN_IN }));
  });
  const last = { out: shape.classes, initializer: HE_FAN_IN };
  return network.build(linear(network, x, `classifier.${2 * HIDDEN.length}`, last), "lenet");
}

function assertSide({ height, width }: ReturnType<typeof imageShape>): void {
  if (Math.min(height, width) >= LEAST_SIDE) return;
  throw new OutOfRangeError(
    `Cannot build "lenet" as images must have at least ${LEAST_SIDE} pixels a side: they are ${height} x ${width}`,
  );
}
