import type { Engine } from "@isthmus/graph";

/** The same engine with one thread for every graph: where several work side by side, that keeps all cores busy. */
export function oneThreadEngine({ name, load }: Engine): Engine {
  return { name, load: (graph, options) => load(graph, { ...options, threads: 1 }) };
}
