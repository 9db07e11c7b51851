import { UsageError } from "@isthmus/core";
import { STRATEGIES } from "../strategies.ts";
import { lookUp } from "./look-up.ts";
import { STRATEGY_DEFAULTS, type StrategyDescription } from "./strategy-description.ts";

/**
 * Returns the description of a strategy by the name that other tools have for it, as `fedadam`; defaults are
 * left out, so that the description of `fedavg` is empty.
 * @param withClients - whether the caller gives clients their half of the algorithm, if it has one.
 *   @defaultValue false
 * @throws InputError if there is no strategy of that name
 * @throws UsageError if the name has parameters, or clients must do half of the algorithm and the caller does
 *   not give it to them
 */
export function namedStrategy(name: string, withClients = false): StrategyDescription {
  const { of, parameters } = lookUp("strategy", STRATEGIES, name);
  const { rule, server, client } = of;
  if (Object.keys(parameters).length > 0) {
    throw new UsageError(
      `Cannot take the strategy "${name}" as its name has no parameters: write those of its rule "${rule}" or its server "${server}", as { rule: { name: ${rule}, ... }, server: ${server} }`,
    );
  }
  if (client !== undefined && !withClients) {
    throw new UsageError(
      `Cannot take the strategy "${name}" by its name alone as the server does half of it, and each client ${client}: write { rule: ${rule}, server: ${server} }, and let the clients do their half; in a simulation add client: { proximal: 0.1 }`,
    );
  }
  return {
    ...(rule === STRATEGY_DEFAULTS.rule ? {} : { rule }),
    ...(server === STRATEGY_DEFAULTS.server ? {} : { server }),
  };
}
