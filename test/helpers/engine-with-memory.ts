import { entry, type Tensor } from "@isthmus/core";
import type { Engine, LoadOptions } from "@isthmus/graph";

/** Names of tensors that a run copied between host and device. */
interface Crossing {
  /** Name of the graph that ran. */
  readonly graph: string;
  /** Inputs that were fed from the host. */
  readonly to: string[];
  /** Inputs whose tensors were copied to the device since the run before, to be held there. */
  readonly held: string[];
  /** Outputs that were copied back. */
  readonly from: string[];
}

/**
 * Returns an engine that keeps carried, staying and held tensors in maps, as a device does in its memory, and
 * tells what crosses. Tensors that stand for what stays are filled with NaN, so that reading them shows.
 * @param processor - engine that computes
 * @param failsAt - number of the run that fails, as a driver that dies does
 */
export function engineWithMemory(processor: Engine, failsAt: number = Number.POSITIVE_INFINITY) {
  const crossings: Crossing[] = [];
  const copies = { held: 0, read: 0 };
  const left = new WeakMap<Tensor, Tensor>();
  const engine: Engine = {
    name: "onnxruntime-fake",
    async load(graph, { carried = new Map(), staying = new Set(), ...options }: LoadOptions = {}) {
      const session = await processor.load(graph, options);
      const held = new Map<string, Tensor>();
      let heldSince: string[] = [];
      const onDevice = (tensors: ReadonlyMap<string, Tensor>) =>
        new Map([...tensors].map(([name, tensor]) => [name, left.get(tensor) ?? tensor]));
      return {
        async run(feeds, out = new Map()) {
          if (crossings.length === failsAt) throw new Error("Device lost");
          const results = await session.run(onDevice(new Map([...held, ...feeds])));
          for (const [output, input] of carried) held.set(input, entry(results, output, "output"));
          for (const output of staying) {
            const standing = entry(out, output, "tensor of a staying output");
            left.set(standing, entry(results, output, "output"));
            (standing.data as Float32Array).fill(Number.NaN);
          }
          const returned = [...results].filter(([name]) => !carried.has(name) && !staying.has(name));
          for (const [name, tensor] of returned) out.get(name)?.data.set(tensor.data as never);
          const fed = [...feeds].flatMap(([name, tensor]) => (left.has(tensor) ? [] : [name]));
          crossings.push({
            graph: graph.name,
            to: fed,
            held: heldSince,
            from: returned.map(([name]) => name),
          });
          heldSince = [];
          return new Map(returned);
        },
        memory: {
          async hold(tensors) {
            copies.held += 1;
            for (const [name, tensor] of tensors) {
              if (!left.has(tensor)) heldSince.push(name);
              const copy = { ...tensor, data: tensor.data.slice() as Tensor["data"] };
              held.set(name, left.has(tensor) ? tensor : copy);
            }
          },
          async readInto(tensors) {
            copies.read += 1;
            for (const [name, { data: target }] of tensors)
              target.set(entry(held, name, "tensor").data as never);
          },
        },
        release: () => session.release(),
      };
    },
  };
  return { engine, crossings, copies };
}
