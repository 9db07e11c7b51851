import { InputError } from "@isthmus/core";
import type { Unfolded } from "@isthmus/forms";
import type { DataSet } from "@isthmus/graph";
import { ITERATIVE_DEFAULTS, PRUNE_BY_EVOLUTION_DEFAULTS } from "@isthmus/sparsity";
import { EVOLUTION_DEFAULTS } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type { EvolvedTicket, GradientTicket, TicketNetwork } from "../description/ticket-network.ts";
import { type FindTicketsParams, findStudyTickets, roundFile } from "../tasks/find-tickets.ts";
import { GRAPH_FILE } from "../tasks/train-network.ts";
import { describeNetwork } from "./describe-network.ts";
import type { PlannedNetwork } from "./planned-network.ts";
import type { Planner } from "./planner.ts";
import { trainOptionsOf } from "./train-options.ts";

/**
 * Plans the search for a lottery ticket, which gives one planned network for every round.
 * @throws InputError if it cannot be built for its data, or goes back to an epoch that is not before the last
 */
export async function planTickets(
  group: string,
  { variables, entry }: Unfolded<TicketNetwork>,
  planner: Planner,
): Promise<readonly PlannedNetwork[]> {
  const { net, data: name, seed, sparsity } = entry;
  const { data, description } = await planner.open(name);
  const network = parseNetwork(net, data);
  const { rounds = PRUNE_BY_EVOLUTION_DEFAULTS.rounds, by = PRUNE_BY_EVOLUTION_DEFAULTS.by } = entry;
  const params: FindTicketsParams = {
    network: await describeNetwork(network, seed),
    data: description,
    rounds: { sparsity, rounds, by },
    ...(entry.tickets === "gradient"
      ? { training: trainingOf(group, entry, { network, data }) }
      : { evolution: evolutionOf(entry) }),
  };
  const label = `${network.spec} seed ${seed}, ${entry.tickets} ticket`;
  const { key } = planner.add(findStudyTickets, { params, inputs: {}, label: `find ${label}` });
  return Array.from({ length: rounds + 1 }, (_, round) => ({
    variables: { ...variables, round },
    label: `${label} round ${round}`,
    architecture: network.graph,
    trainedOn: name,
    graph: { task: key, file: GRAPH_FILE },
    weights: { task: key, file: roundFile(round) },
  }));
}

function trainingOf(
  group: string,
  entry: GradientTicket,
  { network, data }: { readonly network: ReturnType<typeof parseNetwork>; readonly data: DataSet },
): NonNullable<FindTicketsParams["training"]> {
  const { rewind = ITERATIVE_DEFAULTS.rewindEpoch, ...others } = entry;
  const { tickets: _, net: __, data: ___, sparsity: ____, rounds: _____, by: ______, ...settings } = others;
  if (rewind >= settings.epochs) {
    throw new InputError(
      `Cannot plan "networks.${group}" of the study as "rewind" must be less than the ${settings.epochs} epochs: it is ${rewind}`,
      { input: group },
    );
  }
  return { rewindEpoch: rewind, options: trainOptionsOf(settings, network.graph, data) };
}

/** Lists every option that decides the bytes, defaults included. */
function evolutionOf(entry: EvolvedTicket): NonNullable<FindTicketsParams["evolution"]> {
  const { generations, population, deviation, learningRate, deviationRate, batch } = {
    ...EVOLUTION_DEFAULTS,
    ...entry,
  };
  const { seed } = entry;
  const options = { generations, population, deviation, learningRate, deviationRate, seed };
  return { ...options, ...(batch !== undefined && { batch }) };
}
