import { createTensor, entry, type Tensor } from "@isthmus/core";
import type { Weights } from "./open-pulled-loss.ts";

/** Learning rate and weight decay of one step. */
export interface MoveRules {
  /** Learning rate: factor of the velocity by which weights move. */
  readonly rate: number;
  /** Weight decay: factor of the weights that are added to their gradients. */
  readonly weightDecay: number;
}

/** Weights that are moved by SGD with momentum. */
export interface MovingWeights {
  /** Current weights by name, the unmoved ones included; a step changes the moved ones in place. */
  readonly weights: Weights;
  /** Moved weights and their velocities, as tensors that share their memory. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Moves the weights by one step, given the gradients of all that move, by name. */
  moveInPlace(gradients: ReadonlyMap<string, Float32Array>, rules: MoveRules): void;
}

const MOMENTUM = 0.9;

/**
 * Copies weights to be moved.
 * @param names - parameters, which are f32
 */
export function createMoving(start: Weights, names: readonly string[]): MovingWeights {
  const weights = new Map<string, Tensor>(start);
  const tensors = new Map<string, Tensor>();
  const moved = names.map((name) => {
    const { shape } = entry(start, name, "weight");
    const values = valuesOf(start, name).slice();
    const velocity = new Float32Array(values.length);
    weights.set(name, createTensor("f32", shape, values));
    tensors.set(`weights.${name}`, createTensor("f32", shape, values));
    tensors.set(`velocity.${name}`, createTensor("f32", shape, velocity));
    return { name, values, velocity };
  });
  return {
    weights,
    tensors,
    moveInPlace(gradients, { rate, weightDecay }) {
      for (const { name, values, velocity } of moved) {
        const gradient = entry(gradients, name, "gradient");
        for (let i = 0; i < values.length; i++) {
          const value = values[i] as number;
          const slope = (gradient[i] as number) + weightDecay * value;
          velocity[i] = slope + MOMENTUM * (velocity[i] as number);
          values[i] = value - rate * (velocity[i] as number);
        }
      }
    },
  };
}

/** Returns the values of an f32 weight. */
export function valuesOf(weights: Weights, name: string): Float32Array {
  return entry(weights, name, "weight").data as Float32Array;
}
