import { UnsupportedError } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";

/** An engine that refuses graphs of second derivatives, as some operators have none. */
export const firstDerivatives = (engine: Engine): Engine => ({
  ...engine,
  load(loaded, options) {
    const isSecond = loaded.inputs.some(({ name }) => name.startsWith("v("));
    if (isSecond) throw new UnsupportedError("Cannot differentiate twice", { feature: "second" });
    return engine.load(loaded, options);
  },
});
