import type { Checkpoint } from "@isthmus/core";
import type { Node } from "../ir/graph.ts";

/** Finds the tensors of a network by the names under which PyTorch's exporter records its parameters. */
export class OriginNames {
  readonly #tensors = new Map<string, string | undefined>();

  constructor({ tensors }: Pick<Checkpoint, "tensors">) {
    for (const name of tensors.keys()) {
      const spelled = spell(name);
      // The exporter adds numbers to tensors with equal spellings, and does not record these numbers.
      this.#tensors.set(spelled, this.#tensors.has(spelled) ? undefined : name);
    }
  }

  /**
   * Lists the tensors that are read by the call from which a node was made, each once; undefined if the file
   * does not record the call, or a parameter is not in the network.
   */
  tensorsOf({ origin }: Node): string[] | undefined {
    if (origin === undefined) return undefined;
    const tensors = origin.parameters.map((name) => this.#tensors.get(name.slice(name.indexOf("_") + 1)));
    const present = tensors.filter((name) => name !== undefined);
    return present.length === tensors.length ? [...new Set(present)] : undefined;
  }
}

/** Spells a name as the exporter does after the letter for its kind, `p_fc1_weight` for `fc1.weight`. */
function spell(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "_");
}
