import { at, createTensor, sizeOf } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { float, floatAttribute, int, intAttribute, ints, intsAttribute } from "@isthmus/graph/ir";
import { exchangesExamples, isTranspose } from "./blocked-convolution.ts";
import type { BlockedValues } from "./blocked-values.ts";

/** Writes a node in blocked layout; returns false, and writes nothing, if it cannot. */
type BlockedRule = (values: BlockedValues, node: Node) => boolean;

/**
 * Writes a node that is no convolution: in blocked layout if its image was computed there, else in plain
 * layout.
 *
 * An affine function of each channel is a blocked convolution of 1 by 1 in as many groups as channels, which
 * adds another image and applies a ReLU in the same pass.
 */
export function writeOperator(values: BlockedValues, node: Node): void {
  const rule = node.domain === "" && node.outputs.length === 1 ? RULES.get(node.op) : undefined;
  if (rule?.(values, node) !== true) values.write(node);
}

const relu: BlockedRule = (values, node) => {
  const [input, output] = [at(node.inputs, 0, "input"), at(node.outputs, 0, "output")];
  if (!values.isMade(input)) return false;
  const image = { name: output, channels: values.channelsOf(input) };
  if (!values.activate(input, output)) values.make(node.op, [values.blocked(input)], image);
  return true;
};

/** Writes a sum, difference or product of two images, of an image and a number, or a number a channel. */
const binary: BlockedRule = (values, node) => {
  const [first = "", second = ""] = node.inputs;
  const [output = ""] = node.outputs;
  const [a, b] = [values.typeOf(first), values.typeOf(second)];
  if (a === undefined || b === undefined) return false;
  if (a.shape.join() === b.shape.join()) {
    if (!values.isMade(first) && !values.isMade(second)) return false;
    const isSummed =
      node.op === "Add" &&
      (values.accumulate(first, second, output) || values.accumulate(second, first, output));
    const image = { name: output, channels: values.channelsOf(values.isMade(first) ? first : second) };
    if (!isSummed) values.make(node.op, [values.blocked(first), values.blocked(second)], image);
    return true;
  }
  if (values.isMade(first)) return withNumbers(values, node, [first, second]);
  return node.op !== "Sub" && values.isMade(second) && withNumbers(values, node, [second, first]);
};

/** Writes a sum, difference or product of an image and a number, or a number a channel. */
function withNumbers(
  values: BlockedValues,
  { op, outputs }: Node,
  names: readonly [string, string],
): boolean {
  const [image, numbers] = names;
  const shape = values.typeOf(numbers)?.shape ?? [];
  const channels = values.channelsOf(image);
  const output = at(outputs, 0, "output");
  if (shape.length > 4) return false;
  if (sizeOf(shape) === 1) {
    values.make(op, [values.blocked(image), values.plain(numbers)], { name: output, channels });
    return true;
  }
  if (sizeOf(shape) !== channels || shape.at(-3) !== channels) return false;
  const part = (suffix: string) => `${output}:${suffix}`;
  const vector = values.reshape(values.plain(numbers), part("numbers"), [channels]);
  const factor = op === "Mul" ? vector : ones(values, channels);
  const offset = op === "Sub" ? values.add("Neg", [vector], part("offset")) : vector;
  writeAffine(values, image, { output, factor, offset: op === "Mul" ? undefined : offset });
  return true;
}

/** A function `factor x + offset` of each channel. */
interface Affine {
  readonly output: string;
  /** Name of the factors, `[channels]`. */
  readonly factor: string;
  /** Name of the summands, `[channels]`; undefined if there are none. */
  readonly offset: string | undefined;
}

function writeAffine(values: BlockedValues, image: string, { output, factor, offset }: Affine): void {
  const channels = values.channelsOf(image);
  const name = values.blocked(image);
  const kernel = values.reshape(factor, `${output}:kernel`, [channels, 1, 1, 1]);
  const inputs = [name, kernel, ...(offset === undefined ? [] : [offset])];
  values.convolve({ name: output, channels }, inputs, {
    kernel_shape: ints([1, 1]),
    strides: ints([1, 1]),
    pads: ints([0, 0, 0, 0]),
    dilations: ints([1, 1]),
    group: int(channels),
  });
}

const batchNormalization: BlockedRule = (values, node) => {
  const [input = "", ...statistics] = node.inputs;
  if (!values.isMade(input) || intAttribute(node, "training_mode", 0) !== 0) return false;
  const [scale = "", bias = "", mean = "", variance = ""] = statistics.map((name) => values.plain(name));
  const output = at(node.outputs, 0, "output");
  const part = (suffix: string) => `${output}:${suffix}`;
  const epsilon = createTensor("f32", [], Float32Array.of(floatAttribute(node, "epsilon", 1e-5)));
  values.add("Add", [variance, values.constant(part("epsilon"), epsilon)], part("variance"));
  values.add("Sqrt", [part("variance")], part("deviation"));
  const factor = values.add("Div", [scale, part("deviation")], part("factor"));
  values.add("Mul", [mean, factor], part("level"));
  const offset = values.add("Sub", [bias, part("level")], part("offset"));
  writeAffine(values, input, { output, factor, offset });
  return true;
};

/** Writes the mean of the places of each channel of each example, or their sum. */
const reduction: BlockedRule = (values, node) => {
  const [input = "", axes] = node.inputs;
  const listed = axes === undefined ? intsAttribute(node, "axes") : values.constants.get(axes)?.data;
  const reduced = node.op === "GlobalAveragePool" ? "2,3" : listed?.join();
  const [output = ""] = node.outputs;
  const [shape, image] = [values.typeOf(output)?.shape, values.typeOf(input)?.shape];
  if (!values.isMade(input) || reduced !== "2,3") return false;
  if (shape === undefined || image === undefined) return false;
  const means = values.addBlocked("GlobalAveragePool", [values.blocked(input)], `${output}:means`);
  if (node.op !== "ReduceSum") {
    values.reshape(means, output, shape);
    return true;
  }
  const count = sizeOf(image.slice(2));
  const counts = values.constant(`${output}:count`, createTensor("f32", [], Float32Array.of(count)));
  values.reshape(values.add("Mul", [means, counts], `${output}:sums`), output, shape);
  return true;
};

/** Delays a comparison with 0, as ReLUs' gradients are multiplied by its result as a number. */
const greater: BlockedRule = (values, node) => {
  const [input = "", bound = ""] = node.inputs;
  const zero = values.constants.get(bound);
  if (!values.isMade(input) || zero === undefined || sizeOf(zero.shape) !== 1) return false;
  if (Number(at<number | bigint>(zero.data, 0)) !== 0 || zero.shape.length > 4) return false;
  values.delay(node);
  return true;
};

/** A factor with which every positive number, but for some that are not normal, becomes more than 1. */
const STEEP = 3e38;

/** The element type f32, in attributes. */
const FLOAT = 1;

/** Writes the comparison with 0 as a number: a steep slope between 0 and 1 is one pass instead of two. */
const cast: BlockedRule = (values, node) => {
  const [input = ""] = node.inputs;
  const compared = values.delayed(input);
  if (compared?.op !== "Greater" || intAttribute(node, "to", 0) !== FLOAT) return false;
  const image = at(compared.inputs, 0, "input");
  const result = { name: at(node.outputs, 0, "output"), channels: values.channelsOf(image) };
  values.make("HardSigmoid", [values.blocked(image)], result, { alpha: float(STEEP), beta: float(0) });
  return true;
};

/** Reads an image with channels last from its blocked layout; delays one with examples second. */
const transpose: BlockedRule = (values, node) => {
  const [input = ""] = node.inputs;
  const [output = ""] = node.outputs;
  if (exchangesExamples(node)) {
    values.delay(node);
    return true;
  }
  const { block } = values;
  const shape = values.typeOf(input)?.shape;
  if (shape === undefined || !values.isBlocked(input) || !isTranspose(node, [0, 2, 3, 1])) return false;
  const [batch = 0, channels = 0, rows = 0, columns = 0] = shape;
  const whole = [batch, rows, columns, channels];
  const image = values.blocked(input);
  // One block of channels is in this order already.
  if (channels === block) values.reshape(image, output, whole);
  else {
    const split = [batch, channels / block, rows * columns, block];
    values.rearrange(image, output, { split, order: [0, 2, 1, 3], whole });
  }
  return true;
};

function ones(values: BlockedValues, channels: number): string {
  const tensor = createTensor("f32", [channels], new Float32Array(channels).fill(1));
  return values.constant(`blocked:ones:${channels}`, tensor);
}

const RULES: ReadonlyMap<string, BlockedRule> = new Map([
  ["Add", binary],
  ["BatchNormalization", batchNormalization],
  ["Cast", cast],
  ["GlobalAveragePool", reduction],
  ["Greater", greater],
  ["Mul", binary],
  ["ReduceMean", reduction],
  ["ReduceSum", reduction],
  ["Relu", relu],
  ["Sub", binary],
  ["Transpose", transpose],
]);
