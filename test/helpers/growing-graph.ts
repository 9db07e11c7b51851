import type { Random } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder } from "./graph-builder.ts";

/** A graph that grows by random steps from values that are there. */
export abstract class GrowingGraph<Live> {
  readonly b = new GraphBuilder(18);
  readonly random: Random;
  /** Values that later steps may read. */
  readonly live: Live[] = [];
  #weights = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Makes steps at random, each of which may add a value. */
  grow(steps: number, choices: readonly ((graph: this) => Live | undefined)[]): void {
    for (let step = 0; step < steps; step++) {
      const made = this.pick(choices)(this);
      if (made !== undefined) this.live.push(made);
    }
  }

  /** Ends the graph with the sum of values. */
  finish(values: readonly string[], name: string): Graph {
    const sum = values.reduce((a, c) => this.b.op("Add", [a, c]));
    return this.b.output(sum).build(name);
  }

  between(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.integer(items.length)] as T;
  }

  any(): Live {
    return this.pick(this.live);
  }

  weight(shape: readonly number[]): string {
    return this.b.weight(`w${this.#weights++}`, shape);
  }
}
