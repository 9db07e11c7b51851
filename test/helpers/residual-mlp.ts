import type { Graph } from "@isthmus/graph";
import { GraphBuilder } from "./graph-builder.ts";

/** Number of residual links. */
const LINKS = 4;

/** Features that come in and go out. */
const FEATURES = 10;

/**
 * A multi-layer perceptron of one width with residual links: `x + W relu(V x)`, where stream and hidden
 * layers are symmetries of their own, or `x + relu(W x)`, whose matrices hold the stream on both sides.
 */
export function residualMlp(width: number, links: "two layers" | "one layer"): Graph {
  const b = new GraphBuilder();
  let x = b.linear(b.input("x", [FEATURES]), "in", FEATURES, width);
  for (let link = 0; link < LINKS; link++) {
    const hidden = b.op("Relu", [b.linear(x, `link${link}.0`, width, width)]);
    const added = links === "one layer" ? hidden : b.linear(hidden, `link${link}.1`, width, width);
    x = b.op("Add", [x, added]);
  }
  return b.output(b.linear(x, "out", width, FEATURES)).build(`residual ${width}, ${links}`);
}
