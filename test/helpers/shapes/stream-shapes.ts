import type { GraphBuilder } from "../graph-builder.ts";
import {
  add,
  attention,
  embed,
  head,
  lastMean,
  layerNorm,
  mlp,
  NORMS,
  type Normalize,
  plainRms,
  rmsNorm,
  scaled,
  TOKENS,
  unitLength,
  WIDTH,
} from "./parts.ts";

/** Builds a network and returns its output. */
export type Shape = (b: GraphBuilder) => string;

/** Streams with any norm, by what is done around the branches. */
const AROUND_NORMS: Readonly<Record<string, (n: Normalize) => Shape>> = {
  "pre-norm": (n) => (b) => {
    let x = embed(b);
    x = add(b, x, attention(b, n(b, x, "n1"), "att"));
    x = add(b, x, mlp(b, n(b, x, "n2"), "mlp", "Tanh"));
    return head(b, n(b, x, "n3"));
  },
  "post-norm": (n) => (b) => {
    let x = embed(b);
    x = n(b, add(b, x, attention(b, x, "att")), "n1");
    x = n(b, add(b, x, mlp(b, x, "mlp")), "n2");
    return head(b, x);
  },
  "written by norms alone": (n) => (b) => {
    let x = n(b, embed(b), "n0");
    x = add(b, x, n(b, attention(b, x, "att"), "n1"));
    x = add(b, x, n(b, mlp(b, x, "mlp"), "n2"));
    return head(b, x);
  },
  "written by one norm and read without": (n) => (b) => {
    let x = n(b, embed(b), "n0");
    x = add(b, x, attention(b, x, "att"));
    return head(b, add(b, x, mlp(b, x, "mlp")));
  },
  "written by two norms, read by two linear layers": (n) => (b) => {
    const x = add(b, n(b, embed(b, "x"), "n0"), n(b, embed(b, "y"), "n1"));
    return head(b, add(b, b.linear(x, "one", WIDTH, WIDTH), b.linear(x, "two", WIDTH, WIDTH)));
  },
  "norms joined along tokens": (n) => (b) => {
    const x = embed(b);
    const joined = b.op("Concat", [n(b, x, "n0"), n(b, mlp(b, x, "mlp"), "n1")], { axis: 1 });
    return head(b, joined);
  },
  "norms joined along units": (n) => (b) => {
    const x = embed(b);
    const joined = b.op("Concat", [n(b, x, "n0"), n(b, mlp(b, x, "mlp"), "n1")], { axis: 2 });
    return head(b, b.linear(joined, "join", 2 * WIDTH, WIDTH));
  },
  sandwich: (n) => (b) => {
    let x = embed(b);
    x = add(b, x, n(b, attention(b, n(b, x, "n1"), "att"), "n2"));
    x = add(b, x, n(b, mlp(b, n(b, x, "n3"), "mlp"), "n4"));
    return head(b, n(b, x, "n5"));
  },
  "norm of branches, and of queries and keys": (n) => (b) => {
    let x = embed(b);
    const wide = (value: string, name: string) => n(b, b.linear(value, name, WIDTH, WIDTH), `${name}.norm`);
    const scores = b.op("MatMul", [wide(x, "q"), b.transpose(wide(x, "k"), 0, 2, 1)]);
    const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), b.linear(x, "v", WIDTH, WIDTH)]);
    x = add(b, x, n(b, b.linear(mixed, "o", WIDTH, WIDTH), "n1"));
    x = add(b, x, n(b, mlp(b, x, "mlp"), "n2"));
    return head(b, n(b, x, "n3"));
  },
  "parallel branches of one norm": (n) => (b) => {
    const x = embed(b);
    const read = n(b, x, "n1");
    return head(b, n(b, add(b, x, attention(b, read, "att"), mlp(b, read, "mlp")), "n2"));
  },
  "parallel branches of two norms": (n) => (b) => {
    const x = embed(b);
    const one = attention(b, n(b, x, "n1"), "att");
    const two = mlp(b, n(b, x, "n2"), "mlp");
    return head(b, n(b, add(b, x, one, two), "n3"));
  },
  "layer scale": (n) => (b) => {
    let x = embed(b);
    x = add(b, x, scaled(b, attention(b, n(b, x, "n1"), "att"), "gamma.1"));
    x = add(b, x, scaled(b, mlp(b, n(b, x, "n2"), "mlp"), "gamma.2"));
    return head(b, n(b, x, "n3"));
  },
  "layer scale behind a norm": (n) => (b) => {
    const x = embed(b);
    return head(b, n(b, add(b, x, scaled(b, n(b, mlp(b, x, "mlp"), "n1"), "gamma")), "n2"));
  },
  "one layer scale for two branches": (n) => (b) => {
    const x = embed(b);
    const read = n(b, x, "n1");
    const both = add(b, attention(b, read, "att"), mlp(b, read, "mlp"));
    return head(b, n(b, add(b, x, scaled(b, both, "gamma")), "n2"));
  },
  "two layer scales for one branch": (n) => (b) => {
    const x = embed(b);
    const branch = mlp(b, n(b, x, "n1"), "mlp");
    return head(b, n(b, add(b, x, scaled(b, scaled(b, branch, "gamma.1"), "gamma.2")), "n2"));
  },
  "two layer scales of one branch": (n) => (b) => {
    const x = embed(b);
    const branch = mlp(b, n(b, x, "n1"), "mlp");
    const both = add(b, scaled(b, branch, "gamma.1"), scaled(b, b.op("Tanh", [branch]), "gamma.2"));
    return head(b, n(b, add(b, x, both, scaled(b, branch, "gamma.3")), "n2"));
  },
  "a branch scaled twice apart": (n) => (b) => {
    const x = embed(b);
    const branch = mlp(b, n(b, x, "n1"), "mlp");
    const sum = add(b, x, scaled(b, branch, "gamma.1"));
    return head(b, n(b, add(b, sum, scaled(b, branch, "gamma.2")), "n2"));
  },
  "stream times a vector": (n) => (b) => {
    const x = embed(b);
    return head(b, n(b, add(b, scaled(b, x, "lambda"), mlp(b, n(b, x, "n1"), "mlp")), "n2"));
  },
  "stream times a learned number": (n) => (b) => {
    const x = embed(b);
    const branch = scaled(b, mlp(b, n(b, x, "n1"), "mlp"), "alpha", 1);
    return head(b, n(b, add(b, scaled(b, x, "lambda", 1), branch), "n2"));
  },
  "stream times a constant": (n) => (b) => {
    const x = embed(b);
    const half = b.op("Mul", [x, b.constant([0.5], [])]);
    return head(b, n(b, add(b, half, mlp(b, n(b, x, "n1"), "mlp")), "n2"));
  },
  "stream plus a constant": (n) => (b) => {
    const x = b.op("Add", [embed(b), b.constant([0.5], [])]);
    return head(b, n(b, add(b, x, mlp(b, n(b, x, "n1"), "mlp")), "n2"));
  },
  "stream read with and without norm": (n) => (b) => {
    const x = embed(b);
    const both = add(b, mlp(b, n(b, x, "n1"), "one"), b.linear(x, "two", WIDTH, WIDTH));
    return head(b, n(b, add(b, x, both), "n2"));
  },
  "norm added to its input": (n) => (b) => {
    const x = embed(b);
    return head(b, n(b, add(b, x, n(b, x, "n1"), mlp(b, x, "mlp")), "n2"));
  },
  "norm of a norm": (n) => (b) => {
    const x = embed(b);
    return head(b, add(b, x, mlp(b, n(b, n(b, x, "n1"), "n2"), "mlp")));
  },
  "norm of a stream times a vector": (n) => (b) => {
    const x = embed(b);
    return head(b, n(b, add(b, x, mlp(b, n(b, scaled(b, x, "g"), "n1"), "mlp")), "n2"));
  },
  "norm and then a vector": (n) => (b) => {
    const x = embed(b);
    return head(b, n(b, add(b, x, mlp(b, scaled(b, n(b, x, "n1"), "g"), "mlp")), "n2"));
  },
  "a norm used twice": (n) => (b) => {
    const x = embed(b);
    const gain = (value: string) => n(b, value, "n1");
    return head(b, n(b, add(b, x, mlp(b, gain(x), "one"), mlp(b, gain(mlp(b, x, "two")), "three")), "n2"));
  },
  "encoder and decoder": (n) => (b) => {
    const encoded = embed(b, "source");
    const memory = n(b, add(b, encoded, mlp(b, n(b, encoded, "e1"), "encoder")), "e2");
    let x = embed(b);
    x = add(b, x, attention(b, n(b, x, "d1"), "cross", { memory }));
    x = add(b, x, mlp(b, n(b, x, "d2"), "decoder"));
    return head(b, n(b, x, "d3"));
  },
  "two streams that read each other": (n) => (b) => {
    let [x, y] = [embed(b, "x"), embed(b, "y")];
    [x, y] = [add(b, x, mlp(b, n(b, y, "n1"), "one")), add(b, y, mlp(b, n(b, x, "n2"), "two"))];
    return head(b, b.linear(b.op("Concat", [n(b, x, "n3"), n(b, y, "n4")], { axis: 2 }), "join", 16, WIDTH));
  },
  "memory of another stream without norm": (n) => (b) => {
    let x = embed(b);
    x = add(b, x, attention(b, n(b, x, "d1"), "cross", { memory: embed(b, "source") }));
    return head(b, n(b, x, "d2"));
  },
  "a norm of the difference of two streams": (n) => (b) => {
    const [x, y] = [embed(b, "x"), embed(b, "y")];
    return head(b, add(b, x, mlp(b, n(b, b.op("Sub", [x, y]), "n1"), "mlp")));
  },
  "halves that read each other": (n) => (b) => {
    let [x, y] = b.ops("Split", [b.linear(embed(b), "wide", WIDTH, 2 * WIDTH)], 2, { axis: 2 }) as [
      string,
      string,
    ];
    x = add(b, x, mlp(b, n(b, y, "n1"), "one"));
    y = add(b, y, mlp(b, n(b, x, "n2"), "two"));
    return head(b, add(b, b.linear(x, "left", WIDTH, WIDTH), b.linear(y, "right", WIDTH, WIDTH)));
  },
  "positions added": (n) => (b) => {
    const x = add(b, embed(b), b.weight("position", [TOKENS, WIDTH]));
    return head(b, n(b, add(b, x, mlp(b, n(b, x, "n1"), "mlp")), "n2"));
  },
  "a class token": (n) => (b) => {
    const token = b.op("Mul", [b.op("ReduceMean", [embed(b, "x")], { axes: [1] }), b.constant([0], [])]);
    const first = add(b, token, b.weight("cls", [1, 1, WIDTH]));
    const x = b.op("Concat", [first, embed(b, "y")], { axis: 1 });
    const read = n(b, add(b, x, mlp(b, n(b, x, "n1"), "mlp")), "n2");
    return b.linear(b.op("Gather", [read, b.constant([0], [], true)], { axis: 1 }), "head", WIDTH, 3);
  },
  "mean over tokens before the norm": (n) => (b) => {
    const x = embed(b);
    const mean = b.op("ReduceMean", [add(b, x, mlp(b, n(b, x, "n1"), "mlp"))], { axes: [1], keepdims: 0 });
    return b.linear(n(b, mean, "n2"), "head", WIDTH, 3);
  },
  "maximum over tokens": (n) => (b) => {
    const x = embed(b);
    const most = b.op("ReduceMax", [add(b, x, mlp(b, n(b, x, "n1"), "mlp"))], { axes: [1], keepdims: 0 });
    return b.linear(most, "head", WIDTH, 3);
  },
  "mean over units read": (n) => (b) => {
    const x = embed(b);
    const gate = b.op("Sigmoid", [lastMean(b, x)]);
    return head(b, n(b, add(b, x, b.op("Mul", [gate, mlp(b, n(b, x, "n1"), "mlp")])), "n2"));
  },
  "stream times a number of each token": (n) => (b) => {
    const x = embed(b);
    const gate = b.op("Sigmoid", [b.linear(n(b, x, "n1"), "gate", WIDTH, 1)]);
    return head(b, n(b, add(b, x, b.op("Mul", [gate, mlp(b, n(b, x, "n2"), "mlp")])), "n3"));
  },
  "stream gated unit by unit": (n) => (b) => {
    const x = embed(b);
    const gate = b.op("Sigmoid", [b.linear(n(b, x, "n1"), "gate", WIDTH, WIDTH)]);
    return head(b, n(b, add(b, b.op("Mul", [gate, x]), mlp(b, n(b, x, "n2"), "mlp")), "n3"));
  },
  "norm of a gated value": (n) => (b) => {
    const x = embed(b);
    const read = n(b, x, "n1");
    const gate = b.op("Sigmoid", [b.linear(read, "gate", WIDTH, WIDTH)]);
    const inner = n(b, b.op("Mul", [gate, b.linear(read, "value", WIDTH, WIDTH)]), "inner");
    return head(b, n(b, add(b, x, b.linear(inner, "out", WIDTH, WIDTH)), "n2"));
  },
  "scale and shift by a condition": (n) => (b) => {
    const x = embed(b);
    const condition = b.op("ReduceMean", [embed(b, "c")], { axes: [1] });
    const by = (name: string) => b.linear(condition, name, WIDTH, WIDTH);
    const read = add(b, b.op("Mul", [n(b, x, "n1"), by("scale")]), by("shift"));
    return head(b, n(b, add(b, x, b.op("Mul", [mlp(b, read, "mlp"), by("gate")])), "n2"));
  },
  "gain of one number": (n) => (b) => {
    const x = embed(b);
    const read = scaled(b, plainRms(b, x, ""), "g", 1);
    return head(b, n(b, add(b, x, mlp(b, read, "mlp")), "n2"));
  },
  "norm in front of a softmax": (n) => (b) => {
    const x = embed(b);
    const read = b.op("Softmax", [n(b, x, "n1")], { axis: -1 });
    return head(b, n(b, add(b, x, mlp(b, read, "mlp")), "n2"));
  },
  "unit length and a number": (n) => (b) => {
    const x = unitLength(b, embed(b));
    const branch = unitLength(b, mlp(b, n(b, x, "n1"), "mlp"));
    return head(b, unitLength(b, add(b, x, scaled(b, branch, "alpha", 1))));
  },
  "norm of queries and keys, head by head": (n) => (b) => {
    const x = embed(b);
    const each = (value: string, name: string) =>
      b.op("Mul", [plainRms(b, value, ""), b.weight(`${name}.gain`, [3])]);
    return head(b, n(b, add(b, x, attention(b, n(b, x, "n1"), "att", { each })), "n2"));
  },
  "norm without gain of queries and keys": (n) => (b) => {
    const x = embed(b);
    const each = (value: string) => plainRms(b, value, "");
    return head(b, n(b, add(b, x, attention(b, n(b, x, "n1"), "att", { each })), "n2"));
  },
  "cosine attention": (n) => (b) => {
    const x = embed(b);
    const each = (value: string) => unitLength(b, value);
    return head(b, n(b, add(b, x, attention(b, n(b, x, "n1"), "att", { each })), "n2"));
  },
  "groups of units normalised": (n) => (b) => {
    const x = embed(b);
    const groups = b.reshape(x, 0, TOKENS, 2, WIDTH / 2);
    const read = scaled(b, b.reshape(plainRms(b, groups, ""), 0, TOKENS, WIDTH), "g");
    return head(b, n(b, add(b, x, mlp(b, read, "mlp")), "n2"));
  },
  "batch norm on the stream": (n) => (b) => {
    const x = b.transpose(embed(b), 0, 2, 1);
    const vectors = ["weight", "bias", "mean", "var"].map((name) => b.weight(`bn.${name}`, [WIDTH]));
    const normal = b.transpose(b.op("BatchNormalization", [x, ...vectors]), 0, 2, 1);
    return head(b, n(b, add(b, normal, mlp(b, n(b, normal, "n1"), "mlp")), "n2"));
  },
  "two norms of one stream, centred and not": (n) => (b) => {
    const x = embed(b);
    return head(
      b,
      n(b, add(b, x, mlp(b, layerNorm(b, x, "l"), "one"), mlp(b, rmsNorm(b, x, "r"), "two")), "n"),
    );
  },
  "tied to a scaled embedding": (n) => (b) => {
    const table = b.weight("table", [11, WIDTH]);
    const ids = b.input("ids", [TOKENS], "i64");
    const x = b.op("Mul", [b.op("Gather", [table, ids]), b.constant([2.5], [])]);
    const read = n(b, add(b, x, mlp(b, n(b, x, "n1"), "mlp")), "n2");
    return b.op("MatMul", [read, b.transpose(table, 1, 0)]);
  },
  "a stack of streams": (n) => (b) => {
    const x = b.op("Unsqueeze", [embed(b), b.ints(2)]);
    const stack = b.op("Mul", [x, b.weight("start", [2, 1])]);
    const read = b.op("ReduceSum", [b.op("Mul", [stack, b.weight("read", [2, 1])]), b.ints(2)], {
      keepdims: 0,
    });
    const branch = b.op("Unsqueeze", [mlp(b, n(b, read, "n1"), "mlp"), b.ints(2)]);
    const mixed = b.op("MatMul", [b.weight("mix", [2, 2]), stack]);
    const sum = add(b, mixed, b.op("Mul", [branch, b.weight("write", [2, 1])]));
    return head(b, n(b, b.op("ReduceSum", [sum, b.ints(2)], { keepdims: 0 }), "n2"));
  },
  "two tokens joined before a norm": (n) => (b) => {
    const x = embed(b);
    const y = add(b, x, mlp(b, n(b, x, "n1"), "mlp"));
    const wide = b.reshape(y, 0, TOKENS / 2, 2 * WIDTH);
    const gain = b.weight("merge.gain", [2 * WIDTH]);
    const merged = b.op("LayerNormalization", [wide, gain], { axis: -1 });
    return head(b, b.linear(merged, "merge", 2 * WIDTH, WIDTH));
  },
  "a depthwise convolution on the stream": (n) => (b) => {
    const x = b.transpose(embed(b), 0, 2, 1);
    const kernel = [x, b.weight("dw.weight", [WIDTH, 1, 3]), b.weight("dw.bias", [WIDTH])];
    const local = b.op("Conv", kernel, { group: WIDTH, pads: [1, 1], kernel_shape: [3] });
    const read = n(b, b.transpose(local, 0, 2, 1), "n1");
    return head(b, n(b, add(b, b.transpose(x, 0, 2, 1), mlp(b, read, "mlp")), "n2"));
  },
};

/** Streams of small networks, by name: each way around the norms with each norm. */
export const STREAM_SHAPES: ReadonlyMap<string, Shape> = new Map(
  Object.entries(AROUND_NORMS).flatMap(([name, around]) =>
    NORMS.map(([norm, n]) => [`${name}: ${norm}`, around(n)] as const),
  ),
);
