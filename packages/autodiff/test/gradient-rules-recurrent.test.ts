import type { Value } from "@isthmus/graph/builder";
import { float, int, string } from "@isthmus/graph/ir";
import { type Example, oneOf, type RuleCase, testRules } from "../../../test/helpers/gradient-laws.ts";

/** How many gates each operator has, and how many results. */
const KINDS = { RNN: [1, 2], GRU: [3, 2], LSTM: [4, 3] } as const;

/** A recurrent layer that is differentiated by every operand it has. */
interface Layer {
  readonly op: keyof typeof KINDS;
  readonly direction?: "forward" | "reverse" | "bidirectional";
  /** Whether only weights are given, neither biases nor states. */
  readonly isPlain?: boolean;
  readonly lengths?: readonly number[];
  readonly peepholes?: boolean;
  readonly clip?: number;
}

const layer =
  ({ op, direction = "forward", isPlain = false, lengths, peepholes = false, clip }: Layer) =>
  ({ b, dtype, random, x }: Example): Value[] => {
    const [gates, results] = KINDS[op];
    const [steps, batch, width, units] = [3, 2, 1 + random.integer(2), 1 + random.integer(2)];
    const directions = direction === "bidirectional" ? 2 : 1;
    const given = (name: string, ...shape: number[]): Value => x(name, [directions, ...shape]);
    const state = (name: string): Value | undefined => (isPlain ? undefined : given(name, batch, units));
    const operands = [
      x("x", [steps, batch, width]),
      given("w", gates * units, width),
      given("r", gates * units, units),
      isPlain ? undefined : given("b", 2 * gates * units),
      lengths === undefined ? undefined : b.numbers(lengths, "i32"),
      state("h"),
      ...(op === "LSTM" ? [state("c"), ...(peepholes ? [given("p", 3 * units)] : [])] : []),
    ];
    const last = { dtype, shape: [directions, batch, units] };
    return b.emit(
      op,
      operands,
      [{ dtype, shape: [steps, directions, batch, units] }, ...Array(results - 1).fill(last)],
      {
        attributes: {
          hidden_size: int(units),
          direction: string(direction),
          ...(op === "GRU" ? { linear_before_reset: int(oneOf(random, [0, 1])) } : {}),
          ...(clip === undefined ? {} : { clip: float(clip) }),
        },
      },
    );
  };

const variants = (op: Layer["op"]): Record<string, RuleCase> => ({
  [op]: layer({ op }),
  [`${op} without biases and states`]: layer({ op, isPlain: true }),
  [`${op} from the end`]: layer({ op, direction: "reverse" }),
  [`${op} in both directions, of sequences of several lengths`]: layer({
    op,
    direction: "bidirectional",
    lengths: [3, 1],
  }),
});

/** Fewer than of single operators: each is a chain of those, and has one or two units and inputs. */
const EXAMPLES = 4;

testRules(
  {
    ...variants("RNN"),
    ...variants("GRU"),
    ...variants("LSTM"),
    "LSTM with peepholes": layer({ op: "LSTM", peepholes: true }),
    "LSTM with clipped sums": { build: layer({ op: "LSTM", clip: 0.9 }), second: false },
  },
  EXAMPLES,
);
