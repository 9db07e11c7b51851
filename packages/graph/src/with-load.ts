import type { Engine, LoadOptions, Session } from "./engine.ts";
import type { Graph } from "./ir/graph.ts";

/**
 * Returns an engine that is another one but for how it loads graphs. The engines that it chooses among load
 * them in the same way.
 * @param load - loads a graph by an engine: the given one, or one that it chose
 */
export function withLoad(
  engine: Engine,
  load: (engine: Engine, graph: Graph, options?: LoadOptions) => Promise<Session>,
): Engine {
  const wrapped = new Map<Engine, Engine>();
  const wrap = (inner: Engine): Engine => {
    const known = wrapped.get(inner);
    if (known !== undefined) return known;
    const { choose } = inner;
    const outer: Engine = {
      // An engine that chooses its device is named after its choice.
      get name() {
        return inner.name;
      },
      get sharesMemory() {
        return inner.sharesMemory ?? false;
      },
      note: inner.note,
      load: (graph, options) => load(inner, graph, options),
      ...(choose && {
        choose: async (workFor) => wrap(await choose((candidate) => workFor(wrap(candidate)))),
      }),
    };
    wrapped.set(inner, outer);
    return outer;
  };
  return wrap(engine);
}
