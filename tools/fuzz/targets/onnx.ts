import { join } from "node:path";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { decodeGraph, encodeGraph, readGraph } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import type { Dice } from "../dice.ts";
import { fixture } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { type Message, mutateMessage, parseMessage } from "../mutate/mutate-protobuf.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";

const FILE = "x.onnx";
const DATA = { "external.bin": fixture("packages/graph/test/fixtures/external.bin") };

interface Seed {
  readonly bytes: Buffer;
  readonly message: Message;
}

function seedOf(path: string): Seed {
  const bytes = fixture(path);
  const message = parseMessage(bytes);
  if (message === undefined)
    throw new TypeError(`Cannot use "${path}" as a seed as it must be a message: it is not`);
  return { bytes, message };
}

function change(dice: Dice, { bytes, message }: Seed): FuzzInput {
  return { ...DATA, [FILE]: dice.chance(0.3) ? mutateBytes(dice, bytes) : mutateMessage(dice, message) };
}

/** Makes graphs of changed nodes, tensors and shapes, decodes them, and encodes what was decoded. */
export function createOnnxTarget(): FuzzTarget {
  const names = ["branches", "external", "loop", "types"].map(
    (name) => `packages/graph/test/fixtures/${name}.onnx`,
  );
  const seeds = [...names, "test/fixtures/fmnist-cnn/graph.onnx", "test/fixtures/mnist-mlp/graph.onnx"].map(
    seedOf,
  );
  return {
    name: "onnx",
    valid: () => seeds.map(({ bytes }) => ({ ...DATA, [FILE]: bytes })),
    *bombs() {
      yield { [FILE]: repeated(0x3a, repeated(0x0a, Buffer.alloc(0), 1_100_000)) };
      yield { [FILE]: repeated(0x3a, repeated(0x2a, Buffer.alloc(0), 400_000)) };
      // A graph within an attribute of a node within a graph, and so on.
      let graph: Buffer = Buffer.alloc(0);
      for (let level = 0; level < 20_000 && graph.length < 2 ** 20; level++) {
        graph = repeated(0x0a, repeated(0x2a, repeated(0x32, graph)));
      }
      yield { [FILE]: repeated(0x3a, graph) };
    },
    make: (dice) => change(dice, dice.pick(seeds)),
    async read(folder) {
      const { graph } = await readGraph(join(folder, FILE));
      decodeGraph(encodeGraph(graph));
    },
  };
}

/** Makes graphs that mostly can be run, and finds their symmetries. */
export function createOnnxSymmetriesTarget(): FuzzTarget {
  const seed = seedOf("test/fixtures/mnist-mlp/graph.onnx");
  const engine = createOnnxRuntimeEngine();
  return {
    name: "onnx symmetries",
    valid: () => [{ [FILE]: seed.bytes }],
    bombs: () => [],
    make: (dice) => ({ [FILE]: mutateMessage(dice, seed.message) }),
    async read(folder) {
      const { graph } = await readGraph(join(folder, FILE));
      await discoverSymmetries({ graph, engine });
    },
  };
}

/** A field of some tag that holds `content`, so many times. */
function repeated(tag: number, content: Buffer, times = 1): Buffer {
  const length: number[] = [];
  for (let rest = content.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest >= 128 ? (rest % 128) + 128 : rest);
    if (rest < 128) break;
  }
  const field = Buffer.concat([Buffer.from([tag, ...length]), content]);
  return times === 1 ? field : Buffer.alloc(field.length * times, field);
}
