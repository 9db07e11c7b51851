import type { Tensor } from "@isthmus/core";
import type { Attribute } from "@isthmus/graph";
import { float, int, string } from "@isthmus/graph/ir";
import { type Draw, fixedTensor, type NodeCase, type OperatorCase } from "./draw.ts";

const strings = (value: readonly string[]): Attribute => ({ type: "strings", value });

/** What each recurrent operator consists of, and which functions it may apply besides its own. */
const KINDS = {
  RNN: { gates: 1, outputs: 2, activations: [["Tanh"], ["Relu"], ["Sigmoid"]] },
  GRU: {
    gates: 3,
    outputs: 2,
    activations: [
      ["Sigmoid", "Tanh"],
      ["Sigmoid", "Relu"],
    ],
  },
  LSTM: {
    gates: 4,
    outputs: 3,
    activations: [
      ["Sigmoid", "Tanh", "Tanh"],
      ["Tanh", "Relu", "Sigmoid"],
    ],
  },
} as const;

/** The name of a recurrent operator. */
type Kind = keyof typeof KINDS;

/** Which options a case draws; all others are as in PyTorch. */
interface Choices {
  readonly direction: "forward" | "reverse" | "bidirectional";
  /** Whether biases and states are given, `[d, ...]`. */
  readonly isPlain?: boolean;
  readonly lengths?: boolean;
  readonly functions?: boolean;
  readonly clips?: boolean;
  readonly peepholes?: boolean;
}

function drawCase(draw: Draw, op: Kind, choices: Choices): NodeCase {
  const { gates, outputs, activations } = KINDS[op];
  const [steps, batch, width, units] = [
    draw.between(1, 4),
    draw.between(1, 3),
    draw.between(1, 4),
    draw.between(1, 4),
  ];
  const directions = choices.direction === "bidirectional" ? 2 : 1;
  const weight = (...shape: number[]): Tensor => draw.normal([directions, ...shape], 0.6);
  const state = weight(batch, units);
  const isPlain = choices.isPlain === true;
  const lengths = {
    dtype: "i32",
    shape: [batch],
    data: Int32Array.from({ length: batch }, () => draw.between(1, steps)),
  } as const;
  const chosen = draw.pick<readonly string[]>(activations);
  const attributes: Record<string, Attribute> = {
    hidden_size: int(units),
    direction: string(choices.direction),
    ...(choices.functions ? { activations: strings(Array(directions).fill(chosen).flat()) } : {}),
    ...(choices.clips ? { clip: float(0.7) } : {}),
    ...(op === "GRU" ? { linear_before_reset: int(draw.between(0, 1)) } : {}),
  };
  return {
    inputs: [
      draw.normal([steps, batch, width]),
      weight(gates * units, width),
      weight(gates * units, units),
      isPlain ? undefined : weight(2 * gates * units),
      choices.lengths ? fixedTensor(lengths) : undefined,
      isPlain ? undefined : state,
      ...(op === "LSTM" ? [isPlain ? undefined : weight(batch, units)] : []),
      ...(choices.peepholes ? [weight(3 * units)] : []),
    ],
    attributes,
    outputs,
  };
}

const DIRECTIONS = ["forward", "reverse", "bidirectional"] as const;

/** Recurrent operators with random extents, in every direction, with what may be given and left out. */
export const RECURRENT: readonly OperatorCase[] = (["RNN", "GRU", "LSTM"] as const).flatMap((op) => {
  const one = (detail: string, choices: Choices): OperatorCase => ({
    op,
    detail,
    make: (draw) => drawCase(draw, op, choices),
  });
  return [
    ...DIRECTIONS.map((direction) => one(`${direction}, with biases and states`, { direction })),
    ...DIRECTIONS.map((direction) => one(`${direction}, without`, { direction, isPlain: true })),
    ...DIRECTIONS.map((direction) => one(`${direction}, of several lengths`, { direction, lengths: true })),
    one("with other functions", { direction: "bidirectional", functions: true }),
    one("with clipped sums", { direction: "forward", clips: true }),
    ...(op === "LSTM" ? [one("with peepholes", { direction: "bidirectional", peepholes: true })] : []),
  ];
});
