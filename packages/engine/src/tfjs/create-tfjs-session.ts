import type { Graph, Session } from "@isthmus/graph";
import { GraphOnTfjs } from "./graph-on-tfjs.ts";
import type { LoadedTfjs } from "./load-tfjs.ts";
import { runNodes } from "./run-nodes.ts";

/**
 * Creates a session that computes the outputs of a graph.
 * @throws UnsupportedError if an operator or an element type is not handled
 */
export function createTfjsSession(graph: Graph, loaded: LoadedTfjs): Session {
  const session = new GraphOnTfjs(graph, loaded);
  const names = graph.outputs.map(({ name }) => name);
  return {
    run: async (feeds, out = new Map()) =>
      session.run(feeds, out, (values) => {
        runNodes(session, values);
        return names;
      }),
    release: async () => session.release(),
  };
}
