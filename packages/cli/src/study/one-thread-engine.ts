import type { Engine } from "@isthmus/graph";

/**
 * Returns an engine that runs every graph in one thread, which keeps all cores busy where several graphs
 * run side by side.
 */
export function oneThreadEngine({ name, load }: Engine): Engine {
  return { name, load: (graph, options) => load(graph, { ...options, threads: 1 }) };
}
