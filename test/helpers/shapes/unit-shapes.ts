import type { GraphBuilder } from "../graph-builder.ts";
import { add, embed, FEATURES, head, lastMean, scaled, TOKENS, unitLength, WIDTH } from "./parts.ts";
import type { Shape } from "./stream-shapes.ts";

/** Functions of one number, between two linear layers. */
const ACTIVATIONS = [
  ...["Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Tanh", "Sigmoid", "HardSigmoid"],
  ...["HardSwish", "ThresholdedRelu", "Erf", "Sin", "Cos", "Atan", "Sinh", "Asinh", "Abs", "Exp"],
  ...["Neg", "Identity", "Floor", "Round", "Sign"],
];

/** Linear layers, one before and one after what is in between. */
function between(inner: (b: GraphBuilder, x: string) => string, from = WIDTH, to = WIDTH): Shape {
  return (b) => {
    const x = b.linear(b.input("x", [FEATURES]), "one", FEATURES, from);
    return b.linear(inner(b, x), "two", to, 3);
  };
}

const number = (b: GraphBuilder, value: number): string => b.constant([value], []);

/** A kernel of one number for each channel. */
function channelNorm(b: GraphBuilder, x: string, name: string): string {
  const vectors = ["weight", "bias", "mean", "var"].map((part) => b.weight(`${name}.${part}`, [WIDTH]));
  return b.op("BatchNormalization", [x, ...vectors]);
}

/** An image of 6 x 6 with 8 channels. */
function image(b: GraphBuilder): string {
  return b.conv(b.input("x", [3, 6, 6]), "stem", [3, WIDTH]);
}

/** Logits from the mean over an image. */
function imageHead(b: GraphBuilder, x: string): string {
  return b.linear(b.reshape(b.op("GlobalAveragePool", [x]), 0, WIDTH), "head", WIDTH, 3);
}

const HIDDEN: Readonly<Record<string, Shape>> = {
  gelu: between((b, x) => {
    const gate = b.op("Add", [b.op("Erf", [b.op("Mul", [x, number(b, Math.SQRT1_2)])]), number(b, 1)]);
    return b.op("Mul", [b.op("Mul", [x, gate]), number(b, 0.5)]);
  }),
  silu: between((b, x) => b.op("Mul", [x, b.op("Sigmoid", [x])])),
  "relu squared": between((b, x) => b.op("Pow", [b.op("Relu", [x]), number(b, 2)])),
  "relu times itself": between((b, x) => {
    const positive = b.op("Relu", [x]);
    return b.op("Mul", [positive, positive]);
  }),
  square: between((b, x) => b.op("Mul", [x, x])),
  cube: between((b, x) => b.op("Mul", [b.op("Mul", [x, x]), x])),
  "cube by a power": between((b, x) => b.op("Pow", [x, number(b, 3)])),
  "tanh times x": between((b, x) => b.op("Mul", [x, b.op("Tanh", [x])])),
  "relu less leaky relu": between((b, x) => b.op("Sub", [b.op("Relu", [x]), b.op("LeakyRelu", [x])])),
  "slope of each unit": between((b, x) => b.op("PRelu", [x, b.weight("slope", [WIDTH])])),
  "one slope": between((b, x) => b.op("PRelu", [x, b.weight("slope", [1])])),
  "tanh of a scaled value": between((b, x) => b.op("Tanh", [scaled(b, x, "g")])),
  "relu of a scaled value": between((b, x) => b.op("Relu", [scaled(b, x, "g")])),
  "relu plus one": between((b, x) => b.op("Add", [b.op("Relu", [x]), number(b, 1)])),
  "concatenated relu": between(
    (b, x) => b.op("Concat", [b.op("Relu", [x]), b.op("Relu", [b.op("Neg", [x])])], { axis: -1 }),
    WIDTH,
    2 * WIDTH,
  ),
  swiglu: between(
    (b, x) => {
      const [gate = "", up = ""] = b.ops("Split", [x], 2, { axis: -1 });
      return b.op("Mul", [b.op("Mul", [gate, b.op("Sigmoid", [gate])]), up]);
    },
    2 * WIDTH,
    WIDTH,
  ),
  reglu: between(
    (b, x) => {
      const [gate = "", up = ""] = b.ops("Split", [x], 2, { axis: -1 });
      return b.op("Mul", [b.op("Relu", [gate]), up]);
    },
    2 * WIDTH,
    WIDTH,
  ),
  bilinear: between(
    (b, x) => {
      const [gate = "", up = ""] = b.ops("Split", [x], 2, { axis: -1 });
      return b.op("Mul", [gate, up]);
    },
    2 * WIDTH,
    WIDTH,
  ),
  "quotient of two layers": between(
    (b, x) => {
      const [over = "", under = ""] = b.ops("Split", [x], 2, { axis: -1 });
      return b.op("Div", [over, under]);
    },
    2 * WIDTH,
    WIDTH,
  ),
  highway: between((b, x) => {
    const gate = b.op("Sigmoid", [b.linear(x, "gate", WIDTH, WIDTH)]);
    const carried = b.op("Mul", [b.op("Sub", [number(b, 1), gate]), x]);
    return add(b, carried, b.op("Mul", [gate, b.op("Relu", [b.linear(x, "value", WIDTH, WIDTH)])]));
  }),
  maxout: between((b, x) => b.op("ReduceMax", [b.reshape(x, 0, 4, 2)], { axes: [2], keepdims: 0 }), WIDTH, 4),
  "greatest of two layers": between((b, x) =>
    b.op("Max", [b.linear(x, "left", WIDTH, WIDTH), b.linear(x, "right", WIDTH, WIDTH)]),
  ),
  "sum of units": between(
    (b, x) => b.op("ReduceSum", [b.op("Relu", [x]), b.ints(-1)], { keepdims: 1 }),
    WIDTH,
    1,
  ),
  "length of units": between((b, x) => b.op("ReduceL2", [x], { axes: [-1], keepdims: 1 }), WIDTH, 1),
  "product of units": between((b, x) => b.op("ReduceProd", [x], { axes: [-1], keepdims: 1 }), WIDTH, 1),
  "sum of squares": between((b, x) => b.op("ReduceSumSquare", [x], { axes: [-1], keepdims: 1 }), WIDTH, 1),
  "sum of absolutes": between((b, x) => b.op("ReduceL1", [x], { axes: [-1], keepdims: 1 }), WIDTH, 1),
  "logarithm of a sum": between(
    (b, x) => b.op("ReduceLogSumExp", [x], { axes: [-1], keepdims: 1 }),
    WIDTH,
    1,
  ),
  "softmax over units": between((b, x) => b.op("Softmax", [x], { axis: -1 })),
  "softmax of a square": between((b, x) => b.op("Softmax", [b.op("Mul", [x, x])], { axis: -1 })),
  "unit length": between((b, x) => unitLength(b, x)),
  "unit length, one node": between((b, x) => b.op("LpNormalization", [x], { axis: -1, p: 2 })),
  "divided by its greatest": between((b, x) => {
    const most = b.op("ReduceMax", [b.op("Abs", [x])], { axes: [-1] });
    return b.op("Div", [x, most]);
  }),
  "less its mean": between((b, x) => b.op("Sub", [x, lastMean(b, x)])),
  "added to its mean": between((b, x) => b.op("Add", [b.op("Relu", [x]), lastMean(b, x)])),
  "in the middle of bounds": between((b, x) => b.op("Clip", [x, number(b, -0.5), number(b, 0.5)])),
  "relu of six": between((b, x) => b.op("Clip", [x, number(b, 0), number(b, 6)])),
  "shared by two layers": between((b, x) => {
    const shared = b.weight("shared", [WIDTH, WIDTH]);
    return b.op("Relu", [b.op("MatMul", [b.op("Relu", [b.op("MatMul", [x, shared])]), shared])]);
  }),
  "and its transpose": between((b, x) => {
    const tied = b.weight("tied", [WIDTH, 6]);
    return b.op("MatMul", [b.op("MatMul", [x, tied]), b.transpose(tied, 1, 0)]);
  }),
  "two layers of weights multiplied": between((b, x) =>
    b.op("MatMul", [x, b.op("Mul", [b.weight("left", [WIDTH, WIDTH]), b.weight("right", [WIDTH, WIDTH])])]),
  ),
  "a product of low rank": between((b, x) =>
    b.op("MatMul", [x, b.op("MatMul", [b.weight("left", [WIDTH, 3]), b.weight("right", [3, WIDTH])])]),
  ),
  "a weight and a product of low rank": between((b, x) => {
    const low = b.op("MatMul", [b.weight("left", [WIDTH, 3]), b.weight("right", [3, WIDTH])]);
    return b.op("Relu", [b.op("MatMul", [x, b.op("Add", [b.weight("full", [WIDTH, WIDTH]), low])])]);
  }),
  "a weight of unit length": between((b, x) => {
    const rows = unitLength(b, b.weight("direction", [WIDTH, WIDTH]));
    return b.op("Relu", [scaled(b, b.op("MatMul", [x, b.transpose(rows, 1, 0)]), "length")]);
  }),
  "a standardized weight": between((b, x) => {
    const weight = b.weight("standard", [WIDTH, WIDTH]);
    const centred = b.op("Sub", [weight, lastMean(b, weight)]);
    const variance = lastMean(b, b.op("Mul", [centred, centred]));
    const standard = b.op("Div", [centred, b.op("Sqrt", [b.op("Add", [variance, number(b, 1e-5)])])]);
    return b.op("Relu", [b.op("MatMul", [x, b.transpose(standard, 1, 0)])]);
  }),
  "a cosine head": (b) => {
    const x = unitLength(b, b.linear(b.input("x", [FEATURES]), "one", FEATURES, WIDTH));
    const classes = unitLength(b, b.weight("classes", [3, WIDTH]));
    return b.op("Mul", [b.op("MatMul", [x, b.transpose(classes, 1, 0)]), b.weight("temperature", [1])]);
  },
  "a head of distances": (b) => {
    const x = b.linear(b.input("x", [FEATURES]), "one", FEATURES, WIDTH);
    const apart = b.op("Sub", [b.op("Unsqueeze", [x, b.ints(1)]), b.weight("centres", [3, WIDTH])]);
    return b.op("ReduceSumSquare", [apart], { axes: [-1], keepdims: 0 });
  },
};

const CHANNELS: Readonly<Record<string, Shape>> = {
  "batch norm": (b) => imageHead(b, b.op("Relu", [channelNorm(b, image(b), "bn")])),
  "batch norm without relu": (b) => imageHead(b, channelNorm(b, image(b), "bn")),
  "instance norm": (b) => {
    const vectors = [b.weight("in.weight", [WIDTH]), b.weight("in.bias", [WIDTH])];
    return imageHead(b, b.op("Relu", [b.op("InstanceNormalization", [image(b), ...vectors])]));
  },
  "batch norm on a stream": (b) => {
    const x = channelNorm(b, image(b), "bn1");
    const branch = channelNorm(b, b.conv(b.op("Relu", [x]), "conv", [WIDTH, WIDTH]), "bn2");
    return imageHead(b, b.op("Relu", [add(b, x, branch)]));
  },
  "batch norms without relu on a stream": (b) => {
    const x = channelNorm(b, image(b), "bn1");
    return imageHead(b, add(b, x, channelNorm(b, b.conv(x, "conv", [WIDTH, WIDTH]), "bn2")));
  },
  "squeeze and excitation": (b) => {
    const x = b.op("Relu", [image(b)]);
    const mean = b.reshape(b.op("GlobalAveragePool", [x]), 0, WIDTH);
    const narrow = b.op("Relu", [b.linear(mean, "narrow", WIDTH, 4)]);
    const gate = b.reshape(b.op("Sigmoid", [b.linear(narrow, "wide", 4, WIDTH)]), 0, WIDTH, 1, 1);
    return imageHead(b, b.op("Mul", [x, gate]));
  },
  "a gate of each place": (b) => {
    const x = image(b);
    return imageHead(b, b.op("Mul", [x, b.op("Sigmoid", [b.conv(x, "gate", [WIDTH, 1])])]));
  },
  "global context": (b) => {
    const x = image(b);
    const where = b.op("Softmax", [b.reshape(b.conv(x, "where", [WIDTH, 1]), 0, 1, 36)], { axis: -1 });
    const context = b.op("MatMul", [b.reshape(x, 0, WIDTH, 36), b.transpose(where, 0, 2, 1)]);
    return imageHead(b, add(b, x, b.reshape(context, 0, WIDTH, 1, 1)));
  },
  "channels attend to each other": (b) => {
    const rows = b.reshape(image(b), 0, WIDTH, 36);
    const scores = b.op("Softmax", [b.op("MatMul", [rows, b.transpose(rows, 0, 2, 1)])], { axis: -1 });
    return imageHead(b, b.reshape(b.op("MatMul", [scores, rows]), 0, WIDTH, 6, 6));
  },
  "local response": (b) => imageHead(b, b.op("LRN", [b.op("Relu", [image(b)])], { size: 3 })),
  groups: (b) => imageHead(b, b.op("Relu", [b.conv(b.op("Relu", [image(b)]), "conv", [WIDTH, WIDTH], 2)])),
  depthwise: (b) => imageHead(b, b.conv(image(b), "conv", [WIDTH, WIDTH], WIDTH)),
  "the greatest of a window": (b) =>
    imageHead(b, b.op("MaxPool", [image(b)], { kernel_shape: [2, 2], strides: [2, 2] })),
  "the mean of a window": (b) =>
    imageHead(b, b.op("AveragePool", [image(b)], { kernel_shape: [2, 2], strides: [2, 2] })),
  "norm over channels, as ConvNeXt": (b) => {
    const x = b.transpose(image(b), 0, 2, 3, 1);
    const vectors = [b.weight("ln.weight", [WIDTH]), b.weight("ln.bias", [WIDTH])];
    const normal = b.transpose(b.op("LayerNormalization", [x, ...vectors], { axis: -1 }), 0, 3, 1, 2);
    const wide = b.op("Relu", [b.conv(normal, "wide", [WIDTH, 12])]);
    const branch = b.op("Mul", [b.conv(wide, "narrow", [12, WIDTH]), b.weight("gamma", [WIDTH, 1, 1])]);
    return imageHead(b, add(b, b.transpose(x, 0, 3, 1, 2), branch));
  },
};

/** Logits over 3 experts of each token. */
const route = (b: GraphBuilder, x: string): string =>
  b.op("Softmax", [b.linear(x, "router", WIDTH, 3)], { axis: -1 });

const TOKENWISE: Readonly<Record<string, Shape>> = {
  "experts mixed by a router": (b) => {
    const x = b.reshape(embed(b), -1, WIDTH);
    const wide = b.op("MatMul", [b.op("Unsqueeze", [x, b.ints(0)]), b.weight("up", [3, WIDTH, 6])]);
    const narrow = b.op("MatMul", [b.op("Relu", [wide]), b.weight("down", [3, 6, WIDTH])]);
    const shares = b.op("Unsqueeze", [b.transpose(route(b, x), 1, 0), b.ints(2)]);
    const sum = b.op("ReduceSum", [b.op("Mul", [narrow, shares]), b.ints(0)], { keepdims: 0 });
    return head(b, b.reshape(add(b, x, sum), -1, TOKENS, WIDTH));
  },
  "a state that a gate reads": (b) => {
    const x = embed(b);
    const [inner = "", gate = ""] = b.ops("Split", [b.linear(x, "in", WIDTH, 12)], 2, { axis: -1 });
    const decay = b.op("Exp", [b.op("Neg", [b.op("Exp", [b.weight("a", [6])])])]);
    const states: string[] = [];
    for (let token = 0; token < TOKENS; token++) {
      const now = b.slice(inner, 1, [token, token + 1]);
      const before = states.at(-1);
      states.push(before === undefined ? now : add(b, b.op("Mul", [before, decay]), now));
    }
    const all = add(b, b.op("Concat", states, { axis: 1 }), scaled(b, inner, "d", 6));
    const gated = b.op("Mul", [all, b.op("Mul", [gate, b.op("Sigmoid", [gate])])]);
    return head(b, add(b, x, b.linear(gated, "out", 6, WIDTH)));
  },
  "linear attention": (b) => {
    const x = embed(b);
    const [q, k, v] = ["q", "k", "v"].map((name) => b.linear(x, name, WIDTH, 6)) as [string, string, string];
    const sums = b.op("MatMul", [b.transpose(k, 0, 2, 1), v]);
    return head(b, add(b, x, b.linear(b.op("MatMul", [q, sums]), "o", 6, WIDTH)));
  },
  "a bias of which a part is set to zero": (b) => {
    const x = embed(b);
    const places = b.constant([6, 7, 8, 9, 10, 11], [6, 1], true);
    const zeros = b.constant(new Array<number>(6).fill(0), [6]);
    const bias = b.op("ScatterND", [b.weight("qkv.bias", [18]), places, zeros]);
    const all = b.op("Add", [b.op("MatMul", [x, b.weight("qkv.weight", [WIDTH, 18])]), bias]);
    const [q = "", k = "", v = ""] = b.ops("Split", [all], 3, { axis: -1 });
    const scores = b.op("Softmax", [b.op("MatMul", [q, b.transpose(k, 0, 2, 1)])], { axis: -1 });
    return head(b, add(b, x, b.linear(b.op("MatMul", [scores, v]), "o", 6, WIDTH)));
  },
  "linear attention of positive features": (b) => {
    const x = embed(b);
    const [q, k, v] = ["q", "k", "v"].map((name) => b.linear(x, name, WIDTH, 6)) as [string, string, string];
    const positive = (value: string) => b.op("Add", [b.op("Elu", [value]), number(b, 1)]);
    const sums = b.op("MatMul", [b.transpose(positive(k), 0, 2, 1), v]);
    return head(b, add(b, x, b.linear(b.op("MatMul", [positive(q), sums]), "o", 6, WIDTH)));
  },
  "a mixer over tokens": (b) => {
    const x = embed(b);
    const mixed = b.linear(
      b.op("Relu", [b.linear(b.transpose(x, 0, 2, 1), "t1", TOKENS, 6)]),
      "t2",
      6,
      TOKENS,
    );
    return head(b, add(b, x, b.transpose(mixed, 0, 2, 1)));
  },
  "positions joined": (b) => {
    const rows = b.op("Add", [b.op("Mul", [embed(b), number(b, 0)]), b.weight("position", [TOKENS, WIDTH])]);
    const joined = b.op("Concat", [embed(b, "y"), rows], { axis: 2 });
    return head(b, b.linear(b.op("Relu", [joined]), "join", 2 * WIDTH, WIDTH));
  },
  "an average of branches": (b) => {
    const x = embed(b);
    return head(b, b.op("Mean", [x, b.linear(x, "one", WIDTH, WIDTH), b.linear(x, "two", WIDTH, WIDTH)]));
  },
  "queries that multiply values": (b) => {
    const x = embed(b);
    const [u, v] = ["u", "v"].map((name) => b.linear(x, name, WIDTH, 6)) as [string, string];
    const mixed = b.transpose(b.linear(b.transpose(v, 0, 2, 1), "spatial", TOKENS, TOKENS), 0, 2, 1);
    return head(b, add(b, x, b.linear(b.op("Mul", [u, mixed]), "o", 6, WIDTH)));
  },
};

/** Hidden units of small networks between many operators, by name. */
export const UNIT_SHAPES: ReadonlyMap<string, Shape> = new Map([
  ...ACTIVATIONS.map((op) => [op, between((b, x) => b.op(op, [x]))] as const),
  ...ACTIVATIONS.map(
    (op) => [`${op} of a residual stream`, between((b, x) => add(b, x, b.op(op, [x])))] as const,
  ),
  ...[HIDDEN, CHANNELS, TOKENWISE].flatMap((shapes) => Object.entries(shapes)),
]);
