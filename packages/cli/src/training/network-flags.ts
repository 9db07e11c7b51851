import type { NamedNetwork } from "@isthmus/zoo";
import type { ScalingOptions } from "../open/open-data.ts";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";

/** Options of the command line for the network to train, and for the scale of its data. */
export interface NetworkFlags
  extends BindingOptions,
    EngineOptions,
    ScalingOptions,
    Pick<NamedNetwork, "net" | "graph" | "from" | "seed"> {}
