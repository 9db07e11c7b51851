import { at } from "@isthmus/core";
import { floatAttribute, intAttribute, stringAttribute } from "@isthmus/graph/ir";
import { cannotCompute, type OperatorContext, operand, same, type TfjsOperator } from "../operator.ts";
import type { Tfjs, TfTensor } from "../tfjs-types.ts";

type Activation = (x: TfTensor) => TfTensor;

/** State of a recurrent layer between steps, `[N, h]` each; only an `LSTM` uses `cell`. */
interface State {
  readonly hidden: TfTensor;
  readonly cell: TfTensor;
}

/** One direction of a recurrent layer with `g` gates of `h` units. */
interface Direction {
  readonly tf: Tfjs;
  readonly units: number;
  /** Weights of products with the state, `[h, g h]`. */
  readonly recurrent: TfTensor;
  /** Biases of products with the state, `[g h]`, or zero. */
  readonly bias: TfTensor;
  /** Weights of the cell for the input, output and forget gate, `[3 h]`. */
  readonly peepholes: TfTensor | undefined;
  /** Functions of the gates, which clip their arguments to the bound of the node. */
  readonly gates: readonly Activation[];
  /** Function that an `LSTM` applies to its cell to compute its output. */
  readonly read: Activation;
  /** Whether the reset gate of a `GRU` acts on products with the state rather than on the state. */
  readonly resetsProducts: boolean;
}

/** Computes a step from the product of its input with the weights and biases of the input, `[N, g h]`. */
type Step = (input: TfTensor, state: State, direction: Direction) => State;

const parts = ({ tf, units }: Direction, x: TfTensor, axis: number): TfTensor[] =>
  tf.split(x, at(x.shape, axis, "axis") / units, axis);

const multiply = ({ tf, recurrent, bias }: Direction, hidden: TfTensor): TfTensor =>
  tf.add(tf.matMul(hidden, recurrent), bias);

const stepSimply: Step = (input, { hidden, cell }, direction) => {
  const [gate] = direction.gates as [Activation];
  return { hidden: gate(direction.tf.add(input, multiply(direction, hidden))), cell };
};

const stepGated: Step = (input, { hidden, cell }, direction) => {
  const { tf, gates, recurrent, bias, resetsProducts } = direction;
  const [gate, candidate] = gates as [Activation, Activation];
  const [z, r, n] = parts(direction, input, 1) as [TfTensor, TfTensor, TfTensor];
  const [ofZ, ofR, ofN] = parts(direction, multiply(direction, hidden), 1) as [TfTensor, TfTensor, TfTensor];
  const [update, reset] = [gate(tf.add(z, ofZ)), gate(tf.add(r, ofR))];
  const again = (): TfTensor => {
    const products = tf.add(tf.matMul(tf.mul(reset, hidden), recurrent), bias);
    return parts(direction, products, 1)[2] as TfTensor;
  };
  const next = candidate(tf.add(n, resetsProducts ? tf.mul(reset, ofN) : again()));
  return { hidden: tf.add(next, tf.mul(update, tf.sub(hidden, next))), cell };
};

const stepWithMemory: Step = (input, { hidden, cell }, direction) => {
  const { tf, gates, peepholes } = direction;
  const [gate, candidate] = gates as [Activation, Activation];
  const sums = parts(direction, tf.add(input, multiply(direction, hidden)), 1);
  const [i, o, f, c] = sums as [TfTensor, TfTensor, TfTensor, TfTensor];
  const seen = peepholes === undefined ? [] : parts(direction, peepholes, 0);
  const see = (sum: TfTensor, which: number, from: TfTensor): TfTensor =>
    gate(seen[which] === undefined ? sum : tf.add(sum, tf.mul(seen[which], from)));
  const next = tf.add(tf.mul(see(f, 2, cell), cell), tf.mul(see(i, 0, cell), candidate(c)));
  return { hidden: tf.mul(see(o, 1, next), direction.read(next)), cell: next };
};

interface Kind {
  readonly gates: number;
  readonly step: Step;
  readonly functions: readonly string[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  RNN: { gates: 1, step: stepSimply, functions: ["tanh"] },
  GRU: { gates: 3, step: stepGated, functions: ["sigmoid", "tanh"] },
  LSTM: { gates: 4, step: stepWithMemory, functions: ["sigmoid", "tanh", "tanh"] },
};

/** Computes all steps of all directions, `[T, d, N, h]`, and the last states, `[d, N, h]` each. */
function recur(context: OperatorContext): TfTensor[] {
  const { tf, node } = context;
  const layout = intAttribute(node, "layout", 0);
  if (layout !== 0) throw cannotCompute(context, "time must come before the batch", `layout is ${layout}`);
  const coupled = intAttribute(node, "input_forget", 0);
  if (coupled !== 0)
    throw cannotCompute(context, "every gate must have weights", `input_forget is ${coupled}`);
  const count = at(operand(context, 1).shape, 0, "axis");
  const runs = Array.from({ length: count }, (_, direction) => run(context, direction));
  const steps = runs.map(({ all }) => tf.expandDims(tf.stack(all), 1));
  const last = (part: keyof State): TfTensor => tf.stack(runs.map(({ state }) => state[part]));
  return [tf.concat(steps, 1), last("hidden"), ...(node.op === "LSTM" ? [last("cell")] : [])];
}

function run(context: OperatorContext, index: number): { readonly all: TfTensor[]; readonly state: State } {
  const { tf, node, inputs } = context;
  const kind = KINDS[node.op] as Kind;
  const part = (input: number): TfTensor | undefined =>
    inputs[input] === undefined ? undefined : tf.gather(inputs[input].tensor, index);
  const [x, weights] = [operand(context, 0), part(1) as TfTensor];
  const [steps, batch, width] = x.shape as [number, number, number];
  const direction = readDirection(context, kind, { index, part });
  const biases = part(3);
  const ofInput = biases === undefined ? tf.scalar(0) : (tf.split(biases, 2)[0] as TfTensor);
  const flat = tf.add(tf.matMul(tf.reshape(x, [steps * batch, width]), tf.transpose(weights)), ofInput);
  const products = tf.unstack(tf.reshape(flat, [steps, batch, -1]));
  const zeros = tf.zeros([batch, direction.units]);
  let state: State = { hidden: part(5) ?? zeros, cell: part(6) ?? zeros };
  const all = new Array<TfTensor>(steps);
  const isReverse = index === 1 || stringAttribute(node, "direction", "forward") === "reverse";
  for (let i = 0; i < steps; i++) {
    const step = isReverse ? steps - 1 - i : i;
    const next = kind.step(at(products, step, "step"), state, direction);
    [state, all[step]] = within(context, { step, before: state, next });
  }
  return { all, state };
}

/** Returns state and result of a step; after the end of a sequence the state is kept and results are 0. */
function within(
  { tf, inputs }: OperatorContext,
  { step, before, next }: { readonly step: number; readonly before: State; readonly next: State },
): [State, TfTensor] {
  const lengths = inputs[4]?.tensor;
  if (lengths === undefined) return [next, next.hidden];
  const isWithin = tf.reshape(tf.greater(lengths, tf.scalar(step, "int32")), [lengths.size, 1]);
  const choose = (one: TfTensor, other: TfTensor): TfTensor => tf.where(isWithin, one, other);
  const state = { hidden: choose(next.hidden, before.hidden), cell: choose(next.cell, before.cell) };
  return [state, choose(next.hidden, tf.zerosLike(next.hidden))];
}

interface DirectionSource {
  readonly index: number;
  /** Returns one direction of an operand; undefined if the node omits it. */
  readonly part: (input: number) => TfTensor | undefined;
}

function readDirection(context: OperatorContext, kind: Kind, { index, part }: DirectionSource): Direction {
  const { tf, node } = context;
  const recurrent = tf.transpose(part(2) as TfTensor);
  const biases = part(3);
  const functions = readFunctions(context, kind, index);
  const bound = floatAttribute(node, "clip", Number.POSITIVE_INFINITY);
  const within = (apply: Activation): Activation =>
    Number.isFinite(bound) ? (x) => apply(tf.clipByValue(x, -bound, bound)) : apply;
  return {
    tf,
    units: at(recurrent.shape, 0, "axis"),
    recurrent,
    bias: biases === undefined ? tf.scalar(0) : (tf.split(biases, 2)[1] as TfTensor),
    peepholes: part(7),
    gates: functions.map(within),
    read: functions.at(-1) as Activation,
    resetsProducts: intAttribute(node, "linear_before_reset", 0) === 1,
  };
}

function readFunctions(context: OperatorContext, kind: Kind, index: number): Activation[] {
  const { tf, node } = context;
  const activations: Readonly<Record<string, Activation>> = {
    sigmoid: (x) => tf.sigmoid(x),
    tanh: (x) => tf.tanh(x),
    relu: (x) => tf.relu(x),
    softplus: (x) => tf.softplus(x),
  };
  const attribute = node.attributes.get("activations");
  const count = kind.functions.length;
  const names =
    attribute?.type === "strings"
      ? attribute.value.slice(index * count, (index + 1) * count)
      : kind.functions;
  return names.map((name) => {
    const apply = activations[name.toLowerCase()];
    if (apply !== undefined) return apply;
    throw cannotCompute(
      context,
      `its functions must be of ${Object.keys(activations).join(", ")}`,
      `one is ${name}`,
    );
  });
}

/** Recurrent layers. */
export const RECURRENCE: Readonly<Record<string, TfjsOperator>> = {
  RNN: same(recur),
  GRU: same(recur),
  LSTM: same(recur),
};
