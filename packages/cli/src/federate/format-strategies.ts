import { AGGREGATION_RULES, PRE_AGGREGATIONS, SERVER_STEPS, STRATEGIES } from "@isthmus/federated";

interface Described {
  readonly name: string;
  readonly description: string;
}

/**
 * Lists all rules, the steps before them, the optimisers of the server, and the strategies that other tools
 * have names for, each on a line, for the help of verbs.
 */
export function formatStrategies(): string {
  const strategies = [...STRATEGIES.values()].map(({ name, description, rule, server, client }) => ({
    name,
    description: `${description} Rule ${rule}, server ${server}${client === undefined ? "" : `; a client ${client}`}.`,
  }));
  const lists: readonly (readonly [string, readonly Described[]])[] = [
    ["Rules (rule)", [...AGGREGATION_RULES.values()]],
    ["Steps before the rule (before)", [...PRE_AGGREGATIONS.values()]],
    ["Optimisers of the server (server)", [...SERVER_STEPS.values()]],
    ["Strategies as other tools name them (strategy: NAME in a file)", strategies],
  ];
  const width = Math.max(...lists.flatMap(([, list]) => list.map(({ name }) => name.length)));
  return lists
    .map(([title, list]) => {
      const lines = list.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`);
      return `\n${title}:\n${lines.join("\n")}\n`;
    })
    .join("");
}
