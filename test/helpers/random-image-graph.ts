import { createRandom } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GrowingGraph } from "./growing-graph.ts";

/** Images under construction, `[N, channels, side, side]`. */
interface Live {
  readonly name: string;
  readonly channels: number;
  readonly side: number;
}

const MAX_CHANNELS = 16;

/**
 * Makes a random convolutional graph of a given number of steps: dense, grouped and depthwise convolutions,
 * norms, pools, gates, and every way of moving, splitting and joining channels and pixels.
 */
export function randomImageGraph(seed: number, steps: number): Graph {
  return new RandomImageGraph(createRandom(seed, "image graph")).build(steps, `random-image-${seed}`);
}

type Step = (graph: RandomImageGraph) => Live | undefined;

class RandomImageGraph extends GrowingGraph<Live> {
  build(steps: number, name: string): Graph {
    const input = { name: this.b.input("x", [3, 4, 4]), channels: 3, side: 4 };
    this.live.push(this.conv(input, this.pick([4, 6, 8]), 1));
    this.grow(steps, STEPS);
    const heads = this.live.slice(-this.between(1, 2)).map((value) => this.head(value));
    return this.finish(heads, name);
  }

  /** Flattened or pooled, then linear. */
  head({ name, channels, side }: Live): string {
    const flat = this.random.uniform() < 0.5;
    const vector = flat ? this.b.op("Flatten", [name], { axis: 1 }) : this.pooled(name);
    return this.b.op("MatMul", [vector, this.weight([flat ? channels * side * side : channels, 3])]);
  }

  pooled(name: string): string {
    return this.b.op("Flatten", [this.b.op("GlobalAveragePool", [name])], { axis: 1 });
  }

  alike(one: Live): Live {
    return this.pick(
      this.live.filter(({ channels, side }) => channels === one.channels && side === one.side),
    );
  }

  conv({ name, channels, side }: Live, out: number, group: number): Live {
    const size = this.pick([1, 3]);
    const weight = this.weight([out, channels / group, size, size]);
    const pads = new Array<number>(4).fill((size - 1) / 2);
    const inputs = [name, weight, this.weight([out])];
    return {
      name: this.b.op("Conv", inputs, { group, pads, kernel_shape: [size, size] }),
      channels: out,
      side,
    };
  }

  /** A divisor of the number of channels between 1 and it, if there is one. */
  divisor({ channels }: Live): number | undefined {
    const found = [2, 3, 4].filter((d) => channels % d === 0 && channels > d);
    return found.length === 0 ? undefined : this.pick(found);
  }
}

const STEPS: readonly Step[] = [
  (g) => g.conv(g.any(), g.pick([3, 4, 6, 8]), 1),
  (g) => {
    const x = g.any();
    const group = g.divisor(x);
    return group === undefined ? undefined : g.conv(x, group * g.between(1, 3), group);
  },
  (g) => {
    const x = g.any();
    return g.conv(x, x.channels * g.pick([1, 1, 2]), x.channels);
  },
  (g) => {
    const x = g.any();
    const group = g.divisor(x);
    if (group === undefined) return undefined;
    const inputs = [x.name, g.weight([x.channels, 2, 1, 1])];
    return {
      ...x,
      name: g.b.op("ConvTranspose", inputs, { group, kernel_shape: [1, 1] }),
      channels: 2 * group,
    };
  },
  (g) => {
    const x = g.any();
    return { ...x, name: g.b.op(g.pick(["Relu", "Tanh", "Sigmoid"]), [x.name]) };
  },
  (g) => {
    const x = g.any();
    const [scale, bias, mean] = [0, 1, 2].map(() => g.weight([x.channels])) as [string, string, string];
    const variance = g.b.op("Exp", [g.weight([x.channels])]);
    return { ...x, name: g.b.op("BatchNormalization", [x.name, scale, bias, mean, variance]) };
  },
  (g) => {
    const x = g.any();
    if (x.side < 2) return undefined;
    return {
      ...x,
      name: g.b.op("InstanceNormalization", [x.name, g.weight([x.channels]), g.weight([x.channels])]),
    };
  },
  (g) => {
    const x = g.any();
    const groups = g.divisor(x);
    if (groups === undefined) return undefined;
    const ones = g.b.constant(new Array<number>(groups).fill(1), [groups]);
    const zeros = g.b.constant(new Array<number>(groups).fill(0), [groups]);
    const normal = g.b.op("InstanceNormalization", [g.b.reshape(x.name, 0, groups, -1), ones, zeros]);
    return { ...x, name: g.b.reshape(normal, 0, x.channels, x.side, x.side) };
  },
  (g) => {
    const x = g.any();
    const y = g.alike(x);
    return { ...x, name: g.b.op(g.pick(["Add", "Mul", "Max"]), [g.b.op("Tanh", [x.name]), y.name]) };
  },
  (g) => {
    const x = g.any();
    const y = g.pick(g.live.filter(({ side }) => side === x.side));
    if (x.channels + y.channels > MAX_CHANNELS) return undefined;
    return { ...x, name: g.b.op("Concat", [x.name, y.name], { axis: 1 }), channels: x.channels + y.channels };
  },
  (g) => {
    const x = g.any();
    const start = g.between(0, x.channels - 2);
    const end = g.between(start + 1, x.channels);
    return { ...x, name: g.b.slice(x.name, 1, [start, end]), channels: end - start };
  },
  (g) => {
    const x = g.any();
    const parts = g.divisor(x);
    if (parts === undefined) return undefined;
    const view = g.b.reshape(x.name, 0, parts, x.channels / parts, x.side, x.side);
    return { ...x, name: g.b.reshape(g.b.transpose(view, 0, 2, 1, 3, 4), 0, x.channels, x.side, x.side) };
  },
  (g) => {
    const x = g.any();
    const before = g.between(0, 2);
    const after = g.between(0, 2);
    if (before + after + x.channels > MAX_CHANNELS) return undefined;
    const pads = g.b.ints(0, before, 0, 0, 0, after, 0, 0);
    return { ...x, name: g.b.op("Pad", [x.name, pads]), channels: before + x.channels + after };
  },
  (g) => {
    const x = g.any();
    const y = g.pick(g.live.filter(({ side }) => side === x.side));
    const squeezed = g.b.op("Conv", [g.b.op("GlobalAveragePool", [y.name]), g.weight([3, y.channels, 1, 1])]);
    const excited = g.b.op("Conv", [g.b.op("Relu", [squeezed]), g.weight([x.channels, 3, 1, 1])]);
    return { ...x, name: g.b.op("Mul", [x.name, g.b.op("Sigmoid", [excited])]) };
  },
  (g) => {
    const x = g.any();
    if (x.side < 2) return undefined;
    const window = { kernel_shape: [2, 2], strides: [2, 2] };
    return { ...x, name: g.b.op(g.pick(["MaxPool", "AveragePool"]), [x.name], window), side: x.side / 2 };
  },
  (g) => {
    const x = g.any();
    if (x.channels % 4 !== 0 || x.channels < 8 || x.side > 2) return undefined;
    const name = g.b.op("DepthToSpace", [x.name], { blocksize: 2, mode: g.pick(["DCR", "CRD"]) });
    return { name, channels: x.channels / 4, side: 2 * x.side };
  },
  (g) => {
    const x = g.any();
    if (x.side < 2 || x.channels * 4 > MAX_CHANNELS) return undefined;
    const name = g.b.op("SpaceToDepth", [x.name], { blocksize: 2 });
    return { name, channels: x.channels * 4, side: x.side / 2 };
  },
  (g) => {
    const x = g.any();
    const parts = g.divisor(x);
    if (parts === undefined) return undefined;
    const view = g.b.reshape(x.name, 0, parts, x.channels / parts, x.side, x.side);
    const axis = g.between(1, 2);
    const name = g.b.op(g.pick(["ReduceMax", "ReduceMean"]), [view, g.b.ints(axis)], { keepdims: 0 });
    return { ...x, name, channels: axis === 1 ? x.channels / parts : parts };
  },
];
